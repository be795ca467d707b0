// Real-valued targets: predicted against true values, residuals, and error metrics.

function mountValues(mount, targets) {
  for (const { name, true: truth, predicted, rows, metrics } of targets) {
    const some = truth.length < rows ? `; the chart shows ${whole(truth.length)} of ${count(rows, "row")}` : "";
    const lines = (i) => [
      `true ${shortNumber(truth[i])}`,
      `predicted ${shortNumber(predicted[i])}`,
      `residual ${shortNumber(truth[i] - predicted[i])}`,
    ];
    const against = pointChart({
      title: `Predicted against true values of ${name}`,
      x: truth,
      y: predicted,
      xLabel: "true",
      yLabel: "predicted",
      diagonal: true,
      lines,
    });
    const residuals = truth.map((value, i) => value - predicted[i]);
    const left = pointChart({
      title: `Residuals of ${name}`,
      x: predicted,
      y: residuals,
      xLabel: "predicted",
      yLabel: "true − predicted",
      zero: true,
      lines,
    });
    const cells = Object.entries(metrics).map(([metric, value]) =>
      h("div", {}, h("dt", {}, metric), h("dd", {}, value)),
    );
    mount.append(
      ...(targets.length > 1 ? [h("h3", {}, name)] : []),
      h("dl", { class: "metrics" }, ...cells),
      h(
        "div",
        { class: "columns" },
        h(
          "figure",
          { class: "panel" },
          h("h3", {}, "Predicted against true"),
          against,
          h("figcaption", {}, `Predictions on the line are exact${some}.`),
        ),
        h(
          "figure",
          { class: "panel" },
          h("h3", {}, "Residuals"),
          left,
          h("figcaption", {}, "Residuals should show no pattern."),
        ),
      ),
    );
  }
}
