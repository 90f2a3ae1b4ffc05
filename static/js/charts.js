/* Charts read the table behind them, so the picture and the numbers cannot differ. The library comes only where a chart is. */
(() => {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const STANCES = ["Strongly against", "Against", "Undecided", "For", "Strongly for"];

  let library = null;
  const load = () => (library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.querySelector('meta[name="charts"]').content;
    script.onload = () => resolve(window.echarts);
    script.onerror = reject;
    document.head.append(script);
  }));

  /* light-dark() resolves only through a real property, and a canvas needs the colour itself. */
  const token = (name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(--ply-${name})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };

  const rows = (figure) => [...figure.querySelectorAll("tbody tr")].map((row) => ({
    name: row.cells[0].textContent.trim(),
    values: [...row.querySelectorAll("[data-v]")].map((cell) => Number(cell.dataset.v)),
  }));
  const spoken = (value, unit) => value.toLocaleString("en-GB") + (unit === "%" ? "\u00a0%" : unit ? `\u00a0${unit}` : "");

  const common = () => {
    const font = { fontFamily: "Inter, system-ui, sans-serif", fontSize: 12, color: token("ink-2") };
    const tooltip = { renderMode: "richText", confine: true, backgroundColor: token("ink"), borderWidth: 0, padding: [6, 10], textStyle: { ...font, color: token("bg") } };
    return { animation: !still, textStyle: font, color: [1, 2, 3, 4, 5].map((i) => token(`s${i}`)), tooltip, font };
  };

  const donut = (data, { centre, sub, unit }, { font, ...base }) => ({
    ...base,
    tooltip: { ...base.tooltip, trigger: "item", formatter: (p) => `${p.name}  ${spoken(p.value, unit)}` },
    title: { text: centre || "", subtext: sub || "", left: "center", top: "center", itemGap: 6, textStyle: { ...font, fontSize: 24, fontWeight: 640, color: token("ink") }, subtextStyle: font },
    series: [{ type: "pie", radius: ["66%", "92%"], data: data.map((d) => ({ name: d.name, value: d.values[0] })), label: { show: false }, padAngle: 2, itemStyle: { borderRadius: 4 }, emphasis: { scaleSize: 3 } }],
  });

  /* `limit` is a line the bars are held against. */
  const bars = (data, { unit, max, limit }, { font, ...base }, flat) => {
    const names = { type: "category", data: data.map((d) => d.name), inverse: flat, axisTick: { show: false }, axisLine: { lineStyle: { color: token("line-2") } }, axisLabel: { ...font, hideOverlap: !flat, width: flat ? 140 : undefined, overflow: "truncate" } };
    const scale = { type: "value", min: 0, max: Number(max) || (limit ? (v) => Math.ceil(Math.max(v.max, Number(limit))) : null), minInterval: limit ? 1 : undefined, splitNumber: 3, axisLabel: { ...font, formatter: (v) => spoken(v, unit) }, splitLine: { lineStyle: { color: token("line") } } };
    return {
      ...base,
      tooltip: { ...base.tooltip, trigger: "axis", axisPointer: { type: "none" }, valueFormatter: (v) => spoken(v, unit) },
      grid: { left: 4, right: 12, top: 12, bottom: 2, containLabel: true },
      xAxis: flat ? scale : names,
      yAxis: flat ? names : scale,
      series: [{
        type: "bar", data: data.map((d) => d.values[0]), barMaxWidth: flat ? 14 : 26, itemStyle: { color: token("s1"), borderRadius: flat ? [0, 3, 3, 0] : [3, 3, 0, 0] },
        markLine: limit ? { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: token("ink-2"), type: [3, 3], width: 1 }, data: [{ yAxis: Number(limit) }] } : undefined,
      }],
    };
  };

  /* Against to the left, for to the right, the undecided on both sides of the middle; lengths are shares of those asked. */
  const stances = (data, _, { font, ...base }) => {
    const share = (d, i) => (d.values[i] / Math.max(1, d.values.reduce((a, b) => a + b, 0))) * 100;
    const paint = ["stance-1", "stance-2", "stance-3", "stance-4", "stance-5"].map(token);
    const part = (i, sign, half) => ({
      type: "bar", stack: "all", name: STANCES[i], barMaxWidth: 22, cursor: "default", itemStyle: { color: paint[i] }, emphasis: { disabled: true },
      data: data.map((d) => sign * share(d, i) * (half ? 0.5 : 1)),
    });
    return {
      ...base,
      tooltip: { ...base.tooltip, trigger: "axis", axisPointer: { type: "none" }, formatter: ([first]) => {
        const d = data[first.dataIndex];
        return [d.name, ...STANCES.map((word, i) => `${word}: ${d.values[i]} (${Math.round(share(d, i))}\u00a0%)`)].join("\n");
      } },
      grid: { left: 4, right: 16, top: 4, bottom: 2, containLabel: true },
      xAxis: { type: "value", min: -100, max: 100, interval: 50, axisLabel: { ...font, formatter: (v) => `${Math.abs(v)}\u00a0%` }, splitLine: { lineStyle: { color: token("line") } } },
      yAxis: { type: "category", inverse: true, data: data.map((d) => d.name), axisTick: { show: false }, axisLine: { show: false }, axisLabel: { ...font, width: 130, overflow: "truncate" } },
      series: [part(2, -1, true), part(1, -1), part(0, -1), part(2, 1, true), part(3, 1), part(4, 1)],
    };
  };

  const line = (data, { unit }, { font, ...base }) => {
    const values = data.map((d) => d.values[0]), low = Math.min(...values), room = Math.max(1, (Math.max(...values) - low) * 0.25);
    return {
      ...base,
      tooltip: { ...base.tooltip, trigger: "axis", axisPointer: { type: "none" }, valueFormatter: (v) => spoken(v, unit) },
      grid: { left: 4, right: 24, top: 16, bottom: 2, containLabel: true },
      xAxis: { type: "category", boundaryGap: false, data: data.map((d) => d.name), axisTick: { show: false }, axisLine: { lineStyle: { color: token("line-2") } }, axisLabel: { ...font, hideOverlap: true } },
      yAxis: { type: "value", min: Math.max(0, Math.floor(low - room)), minInterval: 1, splitNumber: 3, axisLabel: { ...font, formatter: (v) => spoken(v, unit) }, splitLine: { lineStyle: { color: token("line") } } },
      series: [{ type: "line", data: values, symbol: "circle", symbolSize: (_, p) => (p.dataIndex === values.length - 1 ? 8 : 0), lineStyle: { width: 2, color: token("s1") }, itemStyle: { color: token("s1") } }],
    };
  };

  /* Good, bad, and what is open: the order of the names says which is which. */
  const columns = (data, { names }, { font, ...base }) => {
    const paint = ["s1", "bad", "line-2"].map(token);
    return {
      ...base,
      tooltip: { ...base.tooltip, trigger: "axis", axisPointer: { type: "none" }, valueFormatter: (v) => spoken(v, "") },
      legend: { bottom: 0, left: 0, itemWidth: 10, itemHeight: 10, icon: "roundRect", textStyle: font },
      grid: { left: 4, right: 12, top: 12, bottom: 30, containLabel: true },
      xAxis: { type: "category", data: data.map((d) => d.name), axisTick: { show: false }, axisLine: { lineStyle: { color: token("line-2") } }, axisLabel: { ...font, hideOverlap: true } },
      yAxis: { type: "value", minInterval: 1, splitNumber: 3, axisLabel: { ...font, formatter: (v) => spoken(v, "") }, splitLine: { lineStyle: { color: token("line") } } },
      series: names.split("|").map((name, i) => ({ name, type: "bar", stack: "all", barMaxWidth: 26, itemStyle: { color: paint[i % paint.length] }, data: data.map((d) => d.values[i]) })),
    };
  };

  const kinds = { columns, donut, line, bars: (d, o, b) => bars(d, o, b, false), rows: (d, o, b) => bars(d, o, b, true), stances };

  /* `again`: the numbers moved and the picture follows them; without it, it is made anew. */
  const draw = async (figure, again = false) => {
    const echarts = await load();
    await document.fonts?.ready;
    const box = figure.querySelector(".ply-chart__plot");
    const data = rows(figure);
    if (!box?.isConnected || !data.length || !kinds[figure.dataset.chart]) return;
    const option = kinds[figure.dataset.chart](data, figure.dataset, common()), shown = echarts.getInstanceByDom(box);
    if (again && shown) { shown.setOption(option); return; }
    shown?.dispose();
    echarts.init(box, null, { renderer: "canvas" }).setOption(option);
    resized.observe(box);
  };
  const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => window.echarts?.getInstanceByDom(target)?.resize()));

  window.parley.each("[data-chart]", (figure) => draw(figure));
  document.addEventListener("parley:theme", () => document.querySelectorAll("[data-chart]").forEach((figure) => draw(figure)));
  document.addEventListener("htmx:afterSettle", (event) => {
    const figure = event.target.parentElement?.closest("[data-chart]");
    if (figure) draw(figure, true);
  });
})();
