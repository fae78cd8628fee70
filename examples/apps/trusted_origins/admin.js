"use strict";

const $ = (id) => document.getElementById(id);
const ENTRIES = "/api/v1/trustedOrigins";
let edited = null;
let next = null;

// The address of a page is remembered by browsers: the token must not stay in it.
if (location.hash.length > 1) {
  sessionStorage.setItem("token", decodeURIComponent(location.hash.slice(1)));
  history.replaceState(null, "", location.pathname);
}

async function api(method, path, { body, version } = {}) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem("token") ?? ""}` };
  if (version) headers["If-Match"] = `"${version}"`;
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) {
    const causes = answer.errorCauses.map((cause) => cause.errorSummary);
    throw new Error(causes.join("; ") || answer.errorSummary);
  }
  const link = /<([^>]*)>; rel="next"/.exec(response.headers.get("Link") ?? "");
  return { answer, next: link && link[1] };
}

/** Does what the administrator asked for, and shows why it cannot be done. */
async function attempt(action) {
  try {
    await action();
    $("problem").hidden = true;
  } catch (error) {
    $("problem").textContent = error.message;
    $("problem").hidden = false;
  }
}

function row(cells, className = "") {
  const tr = document.createElement("tr");
  tr.className = className;
  for (const cell of cells) {
    const td = document.createElement("td");
    td.append(...[cell].flat());
    tr.append(td);
  }
  return tr;
}

function mark(text, className) {
  return Object.assign(document.createElement("span"), { textContent: text, className });
}

function button(text, action) {
  const element = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  element.addEventListener("click", () => attempt(action));
  return element;
}

function show(entry) {
  const lifecycle = entry.status === "ACTIVE" ? "deactivate" : "activate";
  const scopes = entry.scopes.join(", ") + (entry.allow_credentials ? ", with cookies" : "");
  const changed = `${new Date(entry.last_updated).toLocaleString()} by ${entry.last_updated_by}`;
  const path = `${ENTRIES}/${entry.id}`;
  const version = entry.version;
  const tr = row([entry.name, entry.origin, scopes, entry.status, changed, [
    button("Edit", () => edit(entry)),
    button(lifecycle === "activate" ? "Activate" : "Deactivate", async () => {
      await api("POST", `${path}/lifecycle/${lifecycle}`, { version });
      await list();
    }),
    button("Delete", async () => {
      if (!confirm(`Delete ${entry.name} for good?`)) return;
      await api("DELETE", path, { version });
      await list();
    }),
  ]], entry.status === "ACTIVE" ? "" : "inactive");
  tr.dataset.origin = entry.origin;
  tr.dataset.status = entry.status;
  return tr;
}

async function list() {
  const query = new URLSearchParams({ q: $("q").value });
  for (const name of ["status", "scope"]) if ($(name).value) query.set(name, $(name).value);
  const page = await api("GET", `${ENTRIES}?${query}`);
  $("entries").replaceChildren(...page.answer.map(show));
  $("none").hidden = page.answer.length > 0;
  next = page.next;
  $("more").hidden = !next;
}

function edit(entry) {
  edited = entry;
  $("form-title").textContent = entry ? `Edit ${entry.name}` : "Add an origin";
  $("save").textContent = entry ? "Save" : "Add";
  $("cancel").hidden = !entry;
  $("name").value = entry ? entry.name : "";
  $("origin").value = entry ? entry.origin : "";
  $("credentials").checked = entry ? entry.allow_credentials : true;
  for (const box of document.getElementsByName("scope")) {
    box.checked = entry ? entry.scopes.includes(box.value) : box.value === "CORS";
  }
  if (entry) $("name").focus();
}

async function replicas() {
  const { answer } = await api("GET", "/api/v1/replicas");
  $("replicas").replaceChildren(...answer.replicas.map((replica) => {
    const url = replica.url + (replica.this ? " (this one)" : "");
    if (replica.unreachable) {
      return row([url, mark(`unreachable: ${replica.unreachable}`, "bad"), "", "", "", "", ""], "inactive");
    }
    const stale = replica.stalenessMillis;
    return row([
      url,
      replica.connected ? mark("within reach", "good") : mark(`out of reach: ${replica.lastFailure}`, "bad"),
      `${replica.version}`,
      `${replica.entries}`,
      stale === null ? mark("never", "bad") : mark(`${(stale / 1000).toFixed(1)} s ago`, replica.available ? "" : "bad"),
      replica.invalidRows ? mark(`${replica.invalidRows}: ${replica.firstInvalidRows.join("; ")}`, "bad") : "0",
      `${replica.refused}`,
    ]);
  }));
  const refusals = answer.replicas.flatMap(({ url, lastRefusals = [] }) => lastRefusals.map((last) => ({ url, ...last })));
  refusals.sort((a, b) => b.at - a.at);
  $("refusals").replaceChildren(...refusals.slice(0, 20).map((last) =>
    row([new Date(last.at).toLocaleTimeString(), last.url, last.origin, last.request, last.reason])));
}

$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", $("token").value);
  start();
});
$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(list);
});
$("more").addEventListener("click", () => attempt(async () => {
  const page = await api("GET", next);
  $("entries").append(...page.answer.map(show));
  next = page.next;
  $("more").hidden = !next;
}));
$("cancel").addEventListener("click", () => edit(null));
$("entry").addEventListener("submit", (event) => {
  event.preventDefault();
  const body = {
    name: $("name").value,
    origin: $("origin").value,
    scopes: [...document.getElementsByName("scope")].filter((box) => box.checked).map((box) => box.value),
    allow_credentials: $("credentials").checked,
  };
  attempt(async () => {
    if (edited) {
      body.status = edited.status;
      await api("PUT", `${ENTRIES}/${edited.id}`, { body, version: edited.version });
    } else {
      await api("POST", ENTRIES, { body });
    }
    edit(null);
    await list();
  });
});

/** What is shown is marked as old when nobody answers; the form of whoever writes stays as it is. */
async function follow() {
  try {
    await replicas();
    $("unreachable").hidden = true;
  } catch (error) {
    // `fetch` has an error of its own when nobody answers.
    const why = error instanceof TypeError ? "Unreachable" : error.message;
    if ($("unreachable").hidden) {
      $("unreachable").textContent = `${why}, since ${new Date().toLocaleTimeString()}: what is below is old.`;
      $("unreachable").hidden = false;
    }
  }
  setTimeout(follow, 1000);
}

function start() {
  $("token").value = sessionStorage.getItem("token") ?? "";
  attempt(list);
}

start();
follow();
