// The study: the best value so far, how much the settings matter, and a sortable table of trials.

function mountStudy() {
  const data = JSON.parse(document.getElementById("data").textContent);
  mountTheme(document.getElementById("theme"));
  const place = document.querySelector('[data-mount="progress"]');
  if (data.values.length) {
    const series = [
      { name: "a trial", values: data.values, place: 0, dots: true },
      { name: "best so far", values: data.best, place: 1, steps: true },
    ];
    const names = data.numbers.map((number, i) => `trial ${number}, after ${shortNumber(data.seconds[i])} s`);
    const panel = { title: data.title, percent: data.percent, series, dashed: false, names };
    place.append(h("h3", {}, data.title), legend(panel, data.seconds), lineChart(panel, data.seconds, { unit: "trial", axis: "seconds" }).box);
  } else place.append(h("p", {}, "No trial has come to its end yet."));
  const mount = document.querySelector('[data-mount="importance"]');
  if (mount) {
    const bars = barList(data.importance.length, "Importance of the settings");
    const highest = Math.max(...data.importance.map(({ value }) => value)) || 1;
    bars.update(
      data.importance.map(({ name, value }) => ({
        name,
        value: value / highest,
        text: value.toFixed(2),
      })),
    );
    mount.append(bars.list);
  }
  for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
  mountScroll();
  document.documentElement.dataset.ready = "";
}

mountStudy();
