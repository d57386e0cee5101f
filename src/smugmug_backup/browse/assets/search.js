"use strict";
// Search over pages that lie on a disk; the words come by search/1.js, 2.js …

const photos = [];
const most = 300;

function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

function found(part) {
  for (const [name, album, text, page, picture] of part) {
    photos.push({ name, album, page, picture, words: plain(`${name} ${album} ${text}`) });
  }
}

function item(photo) {
  const cell = document.createElement("li");
  cell.className = "cell";
  const link = document.createElement("a");
  link.href = photo.page;
  if (photo.picture) {
    const image = document.createElement("img");
    image.src = photo.picture;
    image.alt = "";
    image.loading = "lazy";
    image.width = 320;
    image.height = 240;
    link.append(image);
  }
  for (const [text, kind] of [[photo.name, "name"], [photo.album, "name quiet"]]) {
    const span = document.createElement("span");
    span.className = kind;
    span.textContent = text;
    link.append(span);
  }
  cell.append(link);
  return cell;
}

function search() {
  const asked = plain(document.getElementById("words").value).split(/\s+/).filter(Boolean);
  const hits = asked.length ? photos.filter((each) => asked.every((word) => each.words.includes(word))) : [];
  document.getElementById("results").replaceChildren(...hits.slice(0, most).map(item));
  document.getElementById("said").textContent = !asked.length ? ""
    : hits.length > most ? `${hits.length} found, the first ${most} are shown`
    : `${hits.length || "nothing"} found`;
}

document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("words").addEventListener("input", search);
  document.getElementById("ask").addEventListener("submit", (event) => event.preventDefault());
});
