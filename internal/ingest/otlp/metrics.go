package otlp

import (
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// Metrics emits one item for each data point. record is called before each.
func (d *Decoder) Metrics(md pmetric.Metrics, record func(), emit item.Emit) {
	d.emit = emit
	for _, rm := range md.ResourceMetrics().All() {
		d.resource(rm.Resource().Attributes())
		for _, sm := range rm.ScopeMetrics().All() {
			d.scope(sm.Scope())
			for _, m := range sm.Metrics().All() {
				d.metric(m, record)
			}
		}
	}
}

func (d *Decoder) metric(m pmetric.Metric, record func()) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		d.numbers(m, m.Gauge().DataPoints(), "", record)
	case pmetric.MetricTypeSum:
		d.numbers(m, m.Sum().DataPoints(), temporality(m.Sum().AggregationTemporality()), record)
	case pmetric.MetricTypeHistogram:
		how := temporality(m.Histogram().AggregationTemporality())
		for _, p := range m.Histogram().DataPoints().All() {
			record()
			d.distribution(m, p.Timestamp(), p.Attributes(), p.Flags(), p.Count(), p.Sum(), how, extreme(p.HasMin(), p.Min()), extreme(p.HasMax(), p.Max()))
		}
	case pmetric.MetricTypeExponentialHistogram:
		how := temporality(m.ExponentialHistogram().AggregationTemporality())
		for _, p := range m.ExponentialHistogram().DataPoints().All() {
			record()
			d.distribution(m, p.Timestamp(), p.Attributes(), p.Flags(), p.Count(), p.Sum(), how, extreme(p.HasMin(), p.Min()), extreme(p.HasMax(), p.Max()))
		}
	case pmetric.MetricTypeSummary:
		for _, p := range m.Summary().DataPoints().All() {
			record()
			d.distribution(m, p.Timestamp(), p.Attributes(), p.Flags(), p.Count(), p.Sum(), "cumulative", math.NaN(), math.NaN())
		}
	}
}

func (d *Decoder) numbers(m pmetric.Metric, points pmetric.NumberDataPointSlice, how string, record func()) {
	for _, p := range points.All() {
		record()
		it, e := d.point(m, p.Timestamp(), p.Attributes())
		value := p.DoubleValue()
		if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
			value = float64(p.IntValue())
		}
		if e.Value = value; how != "" {
			e.Attrs["temporality"] = how
		}
		d.finish(it, p.Flags(), p.ValueType() == pmetric.NumberDataPointValueTypeEmpty)
	}
}

// distribution keeps the mean as the value. The count goes with it, so that means
// of several records can be joined by weight.
func (d *Decoder) distribution(m pmetric.Metric, at pcommon.Timestamp, attrs pcommon.Map, flags pmetric.DataPointFlags, count uint64, sum float64, how string, low, high float64) {
	it, e := d.point(m, at, attrs)
	e.Attrs["count"] = strconv.FormatUint(count, 10)
	e.Attrs["sum"] = number64(sum)
	e.Attrs["temporality"] = how
	if !math.IsNaN(low) {
		e.Attrs["min"] = number64(low)
	}
	if !math.IsNaN(high) {
		e.Attrs["max"] = number64(high)
	}
	if count > 0 {
		e.Value = sum / float64(count)
	}
	d.finish(it, flags, count == 0)
}

func (d *Decoder) point(m pmetric.Metric, at pcommon.Timestamp, attrs pcommon.Map) (*item.Item, *eco.Event) {
	it := d.fresh("metric", at)
	e := d.named(it, eco.KindMetric, m.Name())
	d.read(e.Attrs, attrs, it)
	e.Unit = eco.Clean(m.Unit(), 32)
	return it, e
}

func (d *Decoder) finish(it *item.Item, flags pmetric.DataPointFlags, empty bool) {
	switch v := it.Event.Value; {
	case it.Event.Name == "":
		it.Drop = "schema:name"
	case flags.NoRecordedValue() || empty:
		it.Drop = "schema:no_value"
	case math.IsNaN(v) || math.IsInf(v, 0):
		it.Drop = "schema:value"
	}
	if it.Drop != "" {
		it.Kind, it.Event = "", nil
	}
	d.emit(it)
}

func temporality(t pmetric.AggregationTemporality) string {
	if t == pmetric.AggregationTemporalityDelta {
		return "delta"
	}
	return "cumulative"
}

func extreme(has bool, v float64) float64 {
	if !has {
		return math.NaN()
	}
	return v
}

func number64(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
