
"use strict";
{
  const table = document.getElementById("grades");
  const heads = [...table.tHead.rows[0].cells];
  const key = (body, place) => body.rows[0].cells[place].dataset.key;
  const compare = (one, other) => {
    const numbers = one !== "" && other !== "" && !Number.isNaN(Number(one)) && !Number.isNaN(Number(other));
    return numbers ? Number(one) - Number(other) : one.localeCompare(other, undefined, { numeric: true });
  };
  heads.forEach((head, place) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const bodies = [...table.tBodies].sort((one, other) => compare(key(one, place), key(other, place)));
      table.append(...(down ? bodies.reverse() : bodies));
    });
  });
}
