// Keeps the code on the page current. Without script the page shows the code of the moment it was loaded.
const pocket = document.querySelector('[data-pocket]');
const code = pocket.querySelector('[data-code]');
const seconds = pocket.querySelector('[data-seconds]');
let left = Number(seconds.textContent);

async function next() {
  const shown = await (await fetch(pocket.dataset.pocket)).json();
  code.textContent = `${shown.code.slice(0, 3)} ${shown.code.slice(3)}`;
  left = shown.seconds;
}

setInterval(() => {
  left -= 1;
  seconds.textContent = String(Math.max(left, 0));
  if (left === 0) void next();
}, 1000);
