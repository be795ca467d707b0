// A sortable table: a click on a heading sorts the rows, first ascending, then descending.

function makeSortable(table) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = heading.querySelector("button");
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((a, b) => compareCells(a.cells[column], b.cells[column]));
      body.append(...(down ? rows.reverse() : rows));
    });
  });
}

/** Compare numbers by size and everything else as text; numbers come first. */
function compareCells(a, b) {
  const [x, y] = [a.dataset.order, b.dataset.order].map((order) => (order === undefined ? null : Number(order)));
  if (x !== null && y !== null) return x - y;
  if (x !== null || y !== null) return x === null ? 1 : -1;
  return a.textContent.trim().localeCompare(b.textContent.trim(), "en", { numeric: true });
}
