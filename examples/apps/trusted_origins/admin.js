"use strict";

const $ = (id) => document.getElementById(id);
const ENTRIES = "/api/v1/trustedOrigins";
const FIELDS = ["name", "origin", "scopes", "allow_credentials"];
const SCOPES = { CORS: "calls", REDIRECT: "sign-in", IFRAME_EMBED: "frames" };
/** The entry that the form is about; null when it adds one. */
let edited = null;
let next = null;
let polling = false;

// The address of a page is remembered by browsers: the token must not stay in it.
if (location.hash.length > 1) {
  sessionStorage.setItem("token", location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}

const token = () => sessionStorage.getItem("token") ?? "";

class Refused extends Error {
  constructor(status, answer) {
    const causes = answer.errorCauses.map((cause) => cause.errorSummary);
    super(status === 401 ? "The service does not know this token." : causes.join("; ") || answer.errorSummary);
    this.status = status;
    /** The field that is wrong, if one is. */
    this.field = /^Api validation failed: (.+)$/.exec(answer.errorSummary)?.[1];
  }
}

async function api(method, path, { body, version } = {}) {
  const headers = { Authorization: `Bearer ${token()}` };
  if (version) headers["If-Match"] = `"${version}"`;
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Refused(response.status, answer);
  const link = /<([^>]*)>; rel="next"/.exec(response.headers.get("Link") ?? "");
  return { answer, next: link && link[1] };
}

/** Runs an action of the administrator, and shows the error if it fails. */
async function attempt(action) {
  clearProblem();
  try {
    await action();
  } catch (error) {
    // `fetch` throws a TypeError if the service does not answer.
    const why = error instanceof TypeError ? "The service does not answer." : error.message;
    if (error.status === 401) signOut();
    $("problem").textContent = why;
    $("problem").hidden = false;
    markField(error.field, why);
  }
}

function clearProblem() {
  $("problem").hidden = true;
  for (const field of FIELDS) {
    $(field).removeAttribute("aria-invalid");
    const error = $(`${field}-error`);
    if (error) error.hidden = true;
  }
}

/** The bar at the top is in sight at every width; the field says it, too, and has the focus. */
function markField(field, why) {
  if (!FIELDS.includes(field) || $("signed-in").hidden) return;
  $(field).setAttribute("aria-invalid", "true");
  const error = $(`${field}-error`);
  if (error) {
    error.textContent = why;
    error.hidden = false;
  }
  (field === "scopes" ? document.getElementsByName("scope")[0] : $(field)).focus();
}

/** Cells of a row, each with the name of its column for narrow windows. */
function row(cells, className = "") {
  const tr = document.createElement("tr");
  tr.className = className;
  for (const [label, content] of cells) {
    const td = document.createElement("td");
    if (label) td.dataset.label = label;
    else td.className = "actions";
    const parts = [content].flat();
    // One element beside the label, whatever the cell is made of.
    td.append(...(label ? [mark("", "")] : parts));
    if (label) td.firstChild.append(...parts);
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
  const isActive = entry.status === "ACTIVE";
  const scopes = entry.scopes.map((scope) => SCOPES[scope] ?? scope).join(", ")
    + (entry.allow_credentials ? ", with cookies" : "")
    + (entry.dangerously_allow_insecure ? ", without encryption" : "");
  const changed = `${new Date(entry.last_updated).toLocaleString()} by ${entry.last_updated_by}`;
  const path = `${ENTRIES}/${entry.id}`;
  const version = entry.version;
  const tr = row([
    ["Name", entry.name],
    ["Origin", entry.origin],
    ["Trusted with", scopes],
    ["Status", isActive ? "active" : "inactive"],
    ["Changed", changed],
    ["", [
      button("Edit", () => edit(entry)),
      button(isActive ? "Deactivate" : "Activate", async () => {
        const lifecycle = isActive ? "deactivate" : "activate";
        const { answer } = await api("POST", `${path}/lifecycle/${lifecycle}`, { version });
        // If the form is open on this entry, keep the typed text and edit the new version.
        if (edited?.id === entry.id) edited = answer;
        await list();
      }),
      button("Delete", async () => {
        if (!confirm(`Delete ${entry.name} for good?`)) return;
        await api("DELETE", path, { version });
        if (edited?.id === entry.id) edit(null);
        await list();
      }),
    ]],
  ], isActive ? "" : "inactive");
  tr.dataset.origin = entry.origin;
  tr.dataset.status = entry.status;
  return tr;
}

async function list() {
  const query = new URLSearchParams({ q: $("q").value });
  for (const name of ["status", "scope"]) if ($(name).value) query.set(name, $(name).value);
  const page = await api("GET", `${ENTRIES}?${query}`);
  $("entries").replaceChildren(...page.answer.map(show));
  const isFiltered = $("q").value || $("status").value || $("scope").value;
  $("none").textContent = isFiltered
    ? "No entry is like that. Search with fewer words, or for any status."
    : "There is no entry yet, so no page of another origin can call the service with cookies. Add the first one above.";
  $("none").hidden = page.answer.length > 0;
  next = page.next;
  $("more").hidden = !next;
}

/** Opens the form for an entry, or for a new one, which may have an origin already. */
function edit(entry, origin = "") {
  edited = entry;
  clearProblem();
  $("form-title").textContent = entry ? `Edit ${entry.name}` : "Add an origin";
  $("save").textContent = entry ? "Save" : "Add";
  $("cancel").hidden = !entry;
  $("name").value = entry ? entry.name : "";
  $("origin").value = entry ? entry.origin : origin;
  $("allow_credentials").checked = entry ? entry.allow_credentials : false;
  $("dangerously_allow_insecure").checked = entry?.dangerously_allow_insecure ?? false;
  for (const box of document.getElementsByName("scope")) {
    box.checked = entry ? entry.scopes.includes(box.value) : box.value === "CORS";
  }
  if (entry || origin) {
    $("form-title").scrollIntoView({ block: "start" });
    $("name").focus({ preventScroll: true });
  }
}

function age(millis) {
  if (millis < 2000) return "now";
  const seconds = Math.round(millis / 1000);
  return seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}

async function replicas() {
  const { answer } = await api("GET", "/api/v1/replicas");
  $("replicas").replaceChildren(...answer.replicas.map((replica) => {
    const url = replica.url + (replica.this ? " (this one)" : "");
    if (replica.unreachable) {
      return row([["Replica", url], ["Store", mark(`unreachable: ${replica.unreachable}`, "bad")]], "inactive");
    }
    const stale = replica.stalenessMillis;
    return row([
      ["Replica", url],
      ["Store", replica.connected ? mark("connected", "good") : mark(`not connected: ${replica.lastFailure}`, "bad")],
      ["Version", `${replica.version}`],
      ["Entries", `${replica.entries}`],
      ["Up to date", stale === null ? mark("never", "bad") : mark(age(stale), replica.available ? "" : "bad")],
      ["Unusable rows", replica.invalidRows ? mark(`${replica.invalidRows}: ${replica.firstInvalidRows.join("; ")}`, "bad") : "0"],
      ["Refused", `${replica.refused}`],
    ]);
  }));
  const refusals = answer.replicas.flatMap(({ url, lastRefusals = [] }) => lastRefusals.map((last) => ({ url, ...last })));
  refusals.sort((a, b) => b.at - a.at);
  $("no-refusals").hidden = refusals.length > 0;
  showRefusals(refusals.slice(0, 20));
}

let refusalsShown = "";

/** Only when they have changed: a button must not go away under the pointer. */
function showRefusals(refusals) {
  const text = JSON.stringify(refusals);
  if (text === refusalsShown) return;
  refusalsShown = text;
  $("refusals").replaceChildren(...refusals.map((last) => row([
    ["When", new Date(last.at).toLocaleTimeString()],
    ["Replica", last.url],
    ["Origin", last.origin],
    ["Request", last.request],
    ["Why", last.reason],
    // `null` names many pages at once, and is no entry.
    ["", last.origin.includes("://") ? [button("Trust this origin …", () => edit(null, last.origin))] : []],
  ])));
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
    allow_credentials: $("allow_credentials").checked,
    dangerously_allow_insecure: $("dangerously_allow_insecure").checked,
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

/** Polls the replicas. Marks the figures as old if the service does not answer; leaves the form alone. */
async function follow() {
  if (!token()) {
    polling = false;
    return;
  }
  try {
    await replicas();
    $("unreachable").hidden = true;
  } catch (error) {
    const why = error instanceof TypeError ? "Unreachable" : error.message;
    if ($("unreachable").hidden) {
      $("unreachable").textContent = `${why}, since ${new Date().toLocaleTimeString()}. The figures below are old.`;
      $("unreachable").hidden = false;
    }
  }
  setTimeout(follow, 1000);
}

function signOut() {
  sessionStorage.removeItem("token");
  $("signed-in").hidden = true;
  $("signed-out").hidden = false;
  $("token").focus();
}

/** Nothing is asked before there is a token to ask with. */
function start() {
  $("token").value = token();
  $("signed-out").hidden = !!token();
  $("signed-in").hidden = !token();
  if (!token()) return;
  attempt(list).then(() => {
    if (!token() || polling) return;
    polling = true;
    follow();
  });
}

start();
