// The reliability diagram: how often the network is right, by how confident it is, and how many rows are so confident.

function mountCalibration(mount, { confidence, accuracy, shares, rows, noun }) {
  const bins = confidence.map((_, i) => i).filter((i) => confidence[i] !== null);
  const counts = shares.map((share) => Math.round(share * rows));
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
    bars: {
      label: `${noun}s`,
      from: counts.map((_, i) => i / counts.length),
      to: counts.map((_, i) => (i + 1) / counts.length),
      counts,
    },
    lines: (k) => [
      `confidence ${percent(confidence[bins[k]], 1)}`,
      `accuracy ${percent(accuracy[bins[k]], 1)}`,
      count(counts[bins[k]], noun),
    ],
  });
  mount.append(chart);
}
