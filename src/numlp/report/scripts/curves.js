// The section of curves.

function mountCurves(mount, panels, epochs) {
  for (const panel of panels) {
    const chart = lineChart(panel, epochs, { height: panel.id === "learning_rate" ? 170 : 260, log: wide(panel) });
    const heading = h("div", { class: "panel-head" }, h("h3", {}, panel.title));
    if (panel.log) {
      const box = h("input", { type: "checkbox", onchange: () => chart.setLog(box.checked) });
      box.checked = wide(panel);
      heading.append(h("label", { class: "switch" }, box, "log scale"));
    }
    const several = panel.series.length > 1 || panel.series[0].place !== undefined;
    const names = several ? legend(panel, epochs) : null;
    const note = panel.note ? h("figcaption", {}, panel.note) : null;
    mount.append(h("figure", { class: `panel ${panel.id}` }, heading, names, chart.box, note));
  }
}
