// gpuwhy: draws the charts of a run anew with uPlot: a cursor and a zoom that all of them share, by pointer and keyboard.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("charts").textContent);
  const root = document.documentElement;
  const height = 150;
  const plots = [];
  const color = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const digits = (value) => {
    const size = Math.abs(value);
    return value.toFixed(size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
  };
  const places = (value) => (String(+value.toFixed(6)).split(".")[1] ?? "").length;
  const [unit, unitName] = data.end < 120 ? [1, "s"] : data.end < 7200 ? [60, "min"] : [3600, "h"];
  const steps = [...[0.001, 0.01, 0.1, 1, 10, 100].flatMap((each) => [each, 2 * each, 5 * each]), 1000].map((each) => each * unit);
  /** A time with as many digits as its neighbours on the axis need; a moment with one. */
  const clock = (seconds, neighbours) => {
    const digitsBehind = neighbours ? Math.min(3, Math.max(...neighbours.map((each) => places(each / unit)))) : 1;
    return `${(seconds / unit).toFixed(digitsBehind)} ${unitName}`;
  };

  /** Of the axis; a line along its ends stays whole. */
  const top = (chart, max) => chart.top ?? (max > 0 ? max * 1.06 : 1);

  const range = () => {
    const { min, max } = plots[0].scales.x;
    return [min, max];
  };
  const zoom = (from, to) => {
    const least = data.end / 200;
    if (to - from < least) { const middle = (from + to) / 2; from = middle - least / 2; to = middle + least / 2; }
    for (const plot of plots) plot.setScale("x", { min: Math.max(0, from), max: Math.min(data.end, to) });
  };
  const whole = () => zoom(0, data.end);

  const bands = (plot) => {
    const { left, top, height: tall, width } = plot.bbox;
    const right = left + width;
    plot.ctx.save();
    plot.ctx.globalAlpha = 0.55;
    for (const band of data.bands) {
      const from = Math.max(left, Math.min(right, plot.valToPos(band.from, "x", true)));
      const to = Math.max(left, Math.min(right, plot.valToPos(band.to, "x", true)));
      plot.ctx.fillStyle = color(`b${band.color}`);
      plot.ctx.fillRect(from, top, to - from, tall);
    }
    plot.ctx.restore();
  };

  /** The words beside each key: at the cursor, or as the page had them. */
  const tell = ({ chart, words, summaries }) => (plot) => {
    const at = plot.cursor.idx;
    words.forEach((each, i) => {
      const values = plot.data[i + 1];
      let seen = null; // the nearest moment at which this series was
      for (let away = 0; at != null && seen == null && away < values.length; ++away) {
        for (const j of [at - away, at + away]) if (values[j] != null) seen ??= j;
      }
      each.textContent = seen == null || chart.series[i].form === "dashed"
        ? summaries[i]
        : `${digits(values[seen])} ${chart.unit.split(" ")[0]} at ${clock(plot.data[0][seen])}`;
    });
  };

  const series = (each) => {
    const ink = color(`s${each.color}`); // six hexadecimal digits; two more are its opacity
    const dots = each.form === "dots";
    return {
      label: each.name,
      stroke: ink,
      width: dots ? 0 : 1.75,
      paths: dots ? () => null : undefined,
      fill: each.form === "area" ? `${ink}29` : undefined,
      dash: each.form === "dashed" ? [7, 5] : undefined,
      spanGaps: true,
      points: { show: dots, size: 6, width: 0, fill: ink },
    };
  };

  const options = (view, width) => {
    const { chart } = view;
    const soft = color("soft");
    const axis = { stroke: soft, font: "12px system-ui, sans-serif", ticks: { show: false }, grid: { stroke: color("line"), width: 1 } };
    return {
      width, height,
      padding: [8, 24, 0, 0],
      legend: { show: false },
      cursor: { y: false, sync: { key: "run" }, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      scales: {
        x: { time: false, range: (plot, min, max) => [min ?? 0, max ?? data.end] },
        y: { range: (plot, min, max) => [-0.02 * top(chart, max), 1.02 * top(chart, max)] },
      },
      axes: [
        { ...axis, size: 24, gap: 4, incrs: steps, grid: { show: false }, values: (plot, splits) => splits.map((each) => clock(each, splits)) },
        { ...axis, size: 52, space: 28, values: (plot, splits) => splits.map((each) => each.toFixed(Math.max(0, ...splits.map(places)))) },
      ],
      series: [{}, ...chart.series.map(series)],
      hooks: {
        drawClear: [bands],
        setCursor: [tell(view)],
        setSelect: [(plot) => {
          if (plot.select.width > 4) zoom(plot.posToVal(plot.select.left, "x"), plot.posToVal(plot.select.left + plot.select.width, "x"));
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
      },
    };
  };

  /** One step a key: the cursor goes along the moments, the view comes nearer or goes away. */
  const press = ({ plot }, event) => {
    const [from, to] = range();
    const last = plot.data[0].length - 1;
    const at = Math.min(plot.cursor.idx ?? Math.round(last / 2), last);
    const middle = plot.data[0][at];
    const move = (index) => {
      const next = Math.max(0, Math.min(last, index));
      plot.setCursor({ left: plot.valToPos(plot.data[0][next], "x"), top: 10 });
    };
    const actions = {
      ArrowLeft: () => move(at - 1), ArrowRight: () => move(at + 1), Home: () => move(0), End: () => move(last),
      "+": () => zoom(middle - (middle - from) / 2, middle + (to - middle) / 2),
      "-": () => zoom(middle - (middle - from) * 2, middle + (to - middle) * 2),
      0: whole,
    };
    const action = actions[event.key === "=" ? "+" : event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  };

  const draw = (view) => {
    const columns = [data.seconds, ...view.chart.series.map((each) => each.values)];
    view.plot = new uPlot(options(view, view.place.clientWidth || 600), columns, view.place);
    view.plot.setScale("x", { min: 0, max: data.end });
    plots.push(view.plot);
  };

  const prepare = (figure) => {
    const words = [...figure.querySelectorAll(".now")];
    const view = {
      chart: data.charts[figure.dataset.chart],
      place: figure.querySelector(".plot"),
      words,
      summaries: words.map((each) => each.textContent),
    };
    const { place } = view;
    place.tabIndex = 0;
    place.setAttribute("role", "group");
    place.setAttribute("aria-roledescription", "chart");
    place.setAttribute("aria-labelledby", figure.querySelector("figcaption").id);
    place.addEventListener("keydown", (event) => press(view, event));
    place.addEventListener("dblclick", whole);
    place.addEventListener("blur", () => view.plot.setCursor({ left: -10, top: -10 }));
    figure.classList.add("drawn");
    draw(view);
    new ResizeObserver(() => {
      if (place.clientWidth && place.clientWidth !== view.plot.width) view.plot.setSize({ width: place.clientWidth, height });
    }).observe(place);
    return view;
  };
  const views = [...document.querySelectorAll("[data-chart]")].map(prepare);

  for (const each of document.querySelectorAll(".timeline [hidden]")) each.hidden = false;
  document.getElementById("whole")?.addEventListener("click", whole);

  // Another theme has other colours.
  const again = () => {
    const [from, to] = range();
    for (const plot of plots.splice(0)) plot.destroy();
    views.forEach(draw);
    zoom(from, to);
  };
  document.addEventListener("themechange", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
})();
