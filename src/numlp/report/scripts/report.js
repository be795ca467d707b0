// The report: gives every section of the page its contents.

const report = {};

async function mountReport() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const mount = (name, show) => {
    const place = document.querySelector(`[data-mount="${name}"]`);
    return place ? show(place) : null;
  };
  mountTheme(document.getElementById("theme"));
  mount("again", (place) => mountAgain(place, data.again));
  mount("curves", (place) => mountCurves(place, data.curves, data.epochs));
  mount("gradients", (place) =>
    mountCurves(place, [data.gradients], data.epochs.slice(0, data.gradients.series[0].values.length)),
  );
  mount("layers", (place) => mountInside(place, data.layers));
  mount("calibration", (place) => mountCalibration(place, data.calibration));
  mount("values", (place) => mountValues(place, data.values));
  mount("accuracies", (place) => mountAccuracies(place, data.confusion));
  mount("columns", (place) => mountColumns(place, data));
  const isValue = !data.classes.length;
  mount("needs", (place) => mountNeeds(place, data, isValue));
  mount("dependence", (place) => mountDependence(place, data, isValue));
  mount("pairs", (place) => mountPairs(place, data, isValue));
  mount("slices", (place) => mountSlices(place, data, isValue));
  await mount("units", (place) => mountUnits(place, data.units));
  const examples = data.examples ? await new Examples(data).load() : null;
  const network = data.network ? new Network(data.network) : null;
  const why = mount("why", (place) => mountWhy(place, network, examples, data));
  const add = (kind) => (place) => {
    const made = new kind(network, data, examples);
    place.append(made.box);
    return made;
  };
  report.step = mount("step", (place) => mountStep(place, data, network, examples));
  report.pad = mount("pad", add(Pad));
  report.fields = mount("fields", add(Fields));
  const explain = (i) => (why ?? report.fields)?.explain(i);
  mount("confusion", (place) => mountConfusion(place, data.confusion, data.classes, examples, explain));
  mount("mistakes", (place) => mountMistakes(place, examples, explain));
  mount("furthest", (place) => mountFurthest(place, examples, explain));
  mountScroll();
  Object.assign(report, { data, examples, network, why });
  document.documentElement.dataset.ready = "";
}

mountReport();
