"use strict";
// The slider through time, and the keys of a photo's page. Every page works without this file.

const time = document.getElementById("time");
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function named(at) {
  return `${Number(at.slice(8, 10))} ${months[Number(at.slice(5, 7)) - 1]} ${at.slice(0, 4)}, ${at.slice(11, 16)} UTC`;
}

function told([at, came, changed, left]) {
  const counts = [[came, "came"], [changed, "changed"], [left, "left"]].filter(([n]) => n);
  return named(at) + (counts.length ? ` (${counts.map(([n, word]) => `${n} ${word}`).join(", ")})` : "");
}

async function slide() {
  const answer = await fetch("/nights.json");
  if (!answer.ok) return;
  const nights = await answer.json();
  const slider = document.getElementById("slider");
  const label = document.getElementById("night");
  const at = time.dataset.at;
  // The last place is now; the others are the nights in which something changed.
  const place = at ? nights.filter(([each]) => each <= at).length - 1 : nights.length;
  slider.max = String(nights.length);
  slider.value = String(Math.max(0, place));
  slider.disabled = nights.length === 0;
  const say = () => {
    const chosen = nights[Number(slider.value)];
    label.textContent = chosen ? told(chosen) : "now";
    slider.setAttribute("aria-valuetext", label.textContent);
  };
  slider.addEventListener("input", say);
  slider.addEventListener("change", () => {
    const url = new URL(location.href);
    const chosen = nights[Number(slider.value)];
    url.searchParams.delete("page");
    if (chosen) url.searchParams.set("at", chosen[0]);
    else url.searchParams.delete("at");
    location.assign(url);
  });
  say();
}

if (time) slide();

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.target.closest("input, select, textarea, video")) return;
  const link = { ArrowLeft: "before", ArrowRight: "after", Escape: "up" }[event.key];
  const target = link && document.getElementById(link);
  if (target) {
    event.preventDefault();
    location.assign(target.href);
  }
});
