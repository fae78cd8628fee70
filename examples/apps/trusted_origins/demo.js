"use strict";

const calls = [
  ["read-with-cookie", "GET with the user's cookies", "/profile", { credentials: "include" }],
  ["change-with-cookie", "PUT with the user's cookies", "/profile", {
    method: "PUT",
    credentials: "include",
    headers: { "Content-Type": "application/json" },
    body: "{}",
  }],
  ["read-with-token", "GET with a token", "/profile", { headers: { Authorization: "Bearer demo-token" } }],
  ["public", "GET of public metadata", "/.well-known/metadata", {}],
];

const service = document.getElementById("service");
const asked = new URLSearchParams(location.search).get("service");
if (asked && [...service.options].some((option) => option.value === asked)) service.value = asked;

async function call() {
  const base = service.value;
  document.getElementById("sign-in").href =
    `${base}/sign-in?redirect_uri=${encodeURIComponent(`${location.origin}/?service=${encodeURIComponent(base)}`)}`;
  const rows = await Promise.all(calls.map(async ([id, what, path, init]) => {
    const row = document.createElement("tr");
    row.id = id;
    let outcome;
    try {
      const response = await fetch(base + path, init);
      outcome = `${response.status} ${await response.text()}`;
      row.dataset.state = "answered";
    } catch (error) {
      outcome = `nothing: ${error.message}`;
      row.dataset.state = "kept-out";
    }
    for (const [label, text] of [["Call", what], ["The page gets", outcome]]) {
      const cell = Object.assign(document.createElement("td"), { textContent: text });
      cell.dataset.label = label;
      row.append(cell);
    }
    return row;
  }));
  document.getElementById("results").replaceChildren(...rows);
}

document.getElementById("call").addEventListener("submit", (event) => {
  event.preventDefault();
  call();
});
service.addEventListener("change", call);
call();
