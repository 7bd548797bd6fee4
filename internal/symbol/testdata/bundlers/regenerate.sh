#!/bin/sh
# Makes the outputs again: npm i esbuild vite webpack webpack-cli, then this. The versions that made what is committed stand in stacks.txt.
set -e
npx esbuild src/main.ts --bundle --platform=node --minify --sourcemap --outfile=esbuild/main.js --log-level=error
cat > vite.config.mjs <<'X'
export default { logLevel: "error", build: { outDir: "vite", emptyOutDir: true, minify: true, sourcemap: true, target: "node18", lib: { entry: "src/main.ts", formats: ["cjs"], fileName: () => "main.js" } } };
X
npx vite build
npx esbuild src/main.ts src/registry.ts --outdir=js --format=esm --log-level=error
npx webpack ./js/main.js --mode production --devtool source-map --target node -o webpack --output-filename main.js --stats errors-only
rm -rf stacks.txt vite.config.mjs
for tool in esbuild vite webpack; do
	echo "== $tool $(node -p "require('./node_modules/$tool/package.json').version")" >> stacks.txt
	node $tool/main.js | sed "s#$(pwd)#/home/user/.vscode/extensions/acme.linter-1.0.0#" | grep -v node: >> stacks.txt
done
