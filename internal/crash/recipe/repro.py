"""Switches on what these crashes have in common, in a Blender with factory settings:

    blender --factory-startup --python repro.py

The add-ons must be installed. Nothing is saved.
"""
import addon_utils

ADDONS = []
SAY = []


def switch_on(name):
    """Tries the names that an add-on can have as a module."""
    plain = name.replace("-", "_").replace(".", "_")
    for module in (name, plain, "bl_ext.user_default." + plain, "bl_ext.blender_org." + plain):
        try:
            if addon_utils.enable(module, default_set=False):
                return module
        except Exception as problem:
            print("bellwether: %s: %r" % (module, problem))
    return None


for line in SAY:
    print("bellwether: " + line)
for name, version in ADDONS:
    print("bellwether: %s %s: %s" % (name, version, switch_on(name) or "not installed"))
