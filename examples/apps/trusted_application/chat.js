"use strict";

// What the page's own server has put into it: a token, and where to begin.
const boot = JSON.parse(document.getElementById("bootstrap").textContent);
const claims = decodeClaims(boot.token);
const allowed = claims.ao.split(";");
const authorization = { Authorization: `Bearer ${boot.token}` };
const at = (id) => document.getElementById(id);

let messages;
let ended = false;

describe();
start();

async function start() {
  // The discovery link carries the token in its query. No header is added, so no preflight is needed.
  const discovery = await step("Discover", "GET", boot.discover);
  if (!discovery) return;
  const application = await step("Join", "POST", discovery._links.anonApplications.href, {
    headers: { ...authorization, "Content-Type": "application/json" },
    body: "{}",
  });
  if (!application) return;
  messages = application._links.messages.href;
  at("chat").hidden = false;
  await say(`Hello from ${boot.site}`);
}

async function say(text) {
  const echo = await step("Message", "POST", messages, {
    headers: { ...authorization, "Content-Type": "application/json" },
    body: JSON.stringify({ text }),
  });
  if (!echo) return;
  const line = document.createElement("li");
  line.append(echo.text, Object.assign(document.createElement("small"), {
    textContent: `echoed to session ${echo.applicationSessionId}`,
  }));
  at("transcript").append(line);
  verdict("chatting", "Let in", `The token names ${self.origin}, so the chat service told the browser ` +
    "to hand its answers to this page (Access-Control-Allow-Origin).");
}

/** One request. The answer's JSON, or nothing once the verdict says why there is none. */
async function step(name, method, url, init = {}) {
  const row = at("steps").insertRow();
  const target = new URL(url);
  const [first, request, result] = [row.insertCell(), row.insertCell(), row.insertCell()];
  first.textContent = name;
  request.textContent = `${method} ${target.host}${target.pathname}`;
  request.dataset.label = "Request";
  result.dataset.label = "The page reads";
  let response;
  try {
    response = await fetch(url, { method, ...init });
  } catch (error) {
    row.className = "unreadable";
    // Each browser has words of its own for a network error, and none says more than that.
    result.textContent = `nothing: the browser says “${error.message}”`;
    refuse();
    return undefined;
  }
  row.className = response.ok ? "ok" : "error";
  result.textContent = `${response.status} ${response.statusText}`;
  if (response.ok) return response.json();
  const challenge = response.headers.get("WWW-Authenticate");
  if (challenge) result.textContent += ` (${challenge})`;
  if (response.status === 401) {
    verdict("expired", "The token is no longer good",
      "The answer is 401, and the page can read that: the token is authentic and names this page, " +
      "so the page may know that it is time to fetch a new one. The request itself was not carried out.");
  } else {
    verdict("refused", "Kept out", `The chat service answered ${response.status}.`);
  }
  return undefined;
}

/** The browser tells a page nothing about a refusal. What the page holds tells the rest. */
function refuse() {
  const kept = "The chat service refused, its answer has no Access-Control-Allow-Origin, " +
    "and so the browser keeps it from this page.";
  if (self.origin === "null") {
    verdict("refused", "Kept out: this page has no origin of its own",
      "It runs in a sandboxed frame, and browsers then send “Origin: null”. Any site can make them " +
      `send that, so no token can name it. ${kept}`);
  } else if (!allowed.includes(self.origin)) {
    verdict("refused", "Kept out: the token does not name this page",
      `The token may be used from ${allowed.join(" and ")}. This page is ${self.origin}, which is not ` +
      `among them; the token is real, and useless here. ${kept}`);
  } else if (ended) {
    verdict("refused", "Kept out: the session has ended",
      `Its token has been revoked, and the chat service takes it from nobody any more. ${kept}`);
  } else {
    verdict("refused", "No answer", "The chat service cannot be reached, or it takes this token from nobody.");
  }
}

function verdict(state, title, why) {
  document.body.dataset.state = state;
  at("verdict-title").textContent = title;
  at("why").textContent = why;
}

function describe() {
  at("origin").textContent = self.origin;
  at("token-kind").textContent = boot.kind;
  at("allowed").replaceChildren(...allowed.map((origin) =>
    Object.assign(document.createElement("code"), {
      textContent: origin,
      className: origin === self.origin ? "self" : "",
    })));
  at("expiry").textContent = new Date(claims.exp * 1000).toLocaleTimeString();
}

function decodeClaims(token) {
  const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  return JSON.parse(atob(payload));
}

at("send").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("text").value.trim();
  if (text) say(text);
  at("text").value = "";
});

at("end").addEventListener("click", async () => {
  // The page asks its own server, which is the one that may end the session.
  await fetch("/end-session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ applicationSessionId: claims.asi }),
  });
  ended = true;
  await say("Is anybody still there?");
  // In narrow windows the answer is above what is in sight.
  at("send").hidden = true;
  at("ended").hidden = false;
  at("verdict").scrollIntoView({ block: "start" });
  at("verdict").focus({ preventScroll: true });
});
