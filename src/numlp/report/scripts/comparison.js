// The comparison: overlaid curves and a sortable table.

function mountComparison() {
  const data = JSON.parse(document.getElementById("data").textContent);
  mountTheme(document.getElementById("theme"));
  const place = document.querySelector('[data-mount="curves"]');
  if (place)
    mountCurves(
      place,
      data.curves.map((panel) => ({ ...panel, dashed: false })),
      data.epochs,
    );
  for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
  mountScroll();
  const only = document.getElementById("differing");
  only.addEventListener("change", () => document.body.classList.toggle("differing", only.checked));
  document.documentElement.dataset.ready = "";
}

mountComparison();
