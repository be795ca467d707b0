// The reliability diagram: how often the network is right, by how confident it is.

function mountCalibration(mount, { confidence, accuracy, shares, rows }) {
  const bins = confidence.map((_, i) => i).filter((i) => confidence[i] !== null);
  const chart = pointChart({
    title: `Accuracy by confidence, in ${count(bins.length, "bin")}`,
    x: bins.map((i) => confidence[i]),
    y: bins.map((i) => accuracy[i]),
    xLabel: "confidence",
    yLabel: "accuracy",
    range: [
      [0, 1.02],
      [0, 1.02],
    ],
    joined: true,
    show: (value) => percent(value, 0),
    lines: (k) => [
      `confidence ${percent(confidence[bins[k]], 1)}`,
      `accuracy ${percent(accuracy[bins[k]], 1)}`,
      count(Math.round(shares[bins[k]] * rows), "row"),
    ],
  });
  mount.append(chart);
}
