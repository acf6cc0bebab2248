"use strict";

// The simulator page. Every text, ours or a stranger's, is set with textContent; nothing is ever parsed as HTML.

const CHANNEL = document.body.dataset.channel;
const BOT = document.body.dataset.bot;
const SITE = document.body.dataset.site;
const BOT_USER = "bot";
const GIVE_UP_MS = 20000;
const POLL_MS = 8000;
const TYPING_AFTER_MS = 150;
const TIME_GAP_MS = 5 * 60 * 1000;
const SHOWN_CANDIDATES = 5;

// Each opened page is a fresh set of residents: two people trying the page never share a conversation.
const VISIT = hex(4);
const PEOPLE = [
  { id: `zhang-${VISIT}`, name: "张阿姨", about: "3号楼，退休教师", colour: "brick" },
  { id: `wang-${VISIT}`, name: "王师傅", about: "3号楼，下班晚，打字快", colour: "sea" },
  { id: `li-${VISIT}`, name: "小李（租客）", about: "3号楼，刚搬来", colour: "plum" },
  { id: `chen-${VISIT}`, name: "陈奶奶", about: "3号楼，字要大一点", colour: "sand" },
  { id: `zhao-${VISIT}`, name: "小赵（宝妈）", about: "3号楼，家有小娃", colour: "teal" },
  { id: "staff", name: "社工小周", about: "工作人员，登记后能在私聊里收到安全提醒", colour: "slate" },
];
const STAFF = PEOPLE[PEOPLE.length - 1];
const CHATS = [
  { id: "luyuan-3", name: "3号楼群", members: 92, about: "登记在3号楼：问地点、时间，答的是本小区的" },
  { id: "unlisted", name: "未接入群", members: 46, about: "没有登记在哪个小区：只答街道一级的信息" },
  { id: null, name: BOT, members: 0, about: "私聊：不用 @，每句都回" },
];
const FIRST_HINTS = ["奶茶杯扔哪个桶", "电池怎么扔", "大件垃圾放哪", "装修几点要停", "鼓包的锂电池怎么办"];
const MORE_HINTS = ["那充电宝呢", "鱼骨头、大棒骨和椰子壳呢", "dianchi怎么扔", "几点能扔垃圾", "今天手机电池没电了", "我的数据"];

const ACTIONS = {
  answer: "直接回答", clarify: "拿不准是哪一种，先问清", fallback: "不会答，照实说", handoff: "转给工作人员",
  done: "已记录", silent: "不出声",
};
const REASONS = {
  not_a_question: "不像是在提问", unsure: "没点名，把握也不够，不插话", recent: "群里刚答过同样的问题",
  cooldown: "刚答复过这位，先歇一歇", staff_talking: "工作人员正在群里说话", paused: "已被要求安静",
  empty: "没有文字内容", unsupported: "这类消息它不回，如表情、图片、转发", robot: "是机器人发的",
};
const RULES = {
  "danger words": "安全用语：说到了危险的情况", phrase: "和登记的问法几乎一样", "likely phrase": "和登记的问法相近",
  "ambiguous word": "这个词有好几种意思，先问清", "the item's topic": "这样东西有专门的说明",
  "several things": "一次问了几样", "nothing alike": "没有找到相近的", name: "名称对得上", sound: "读音一样（错字或拼音）",
  "first case": "好几种意思，按最常见的一种", alike: "写法很像", head: "按词尾的大类归入", first: "按最先认出的词归入", inferred: "清单里没有，按同类推断",
};
const KINDS = { items: "问东西怎么扔", entry: "问一件事", choice: "要先问清", danger: "危险情况", nothing: "没有读懂" };
const THRESHOLDS = {
  accept: "回答，至少要", infer: "推断，至少要", margin: "领先第二名，至少要", speak: "群里没点名也开口，至少要",
  question: "像提问的程度，至少要",
};
const CATEGORY_WORDS = {
  bulky: "大件垃圾", construction: "装修垃圾", ewaste: "电器电子", oil: "废油", drain: "下水道",
};
const REFUSALS = { 400: "这条消息服务器看不懂", 413: "这条消息太长了", 503: "服务正在重启" };

const part = (id) => document.getElementById(id);
const log = part("log");
const words = part("words");
const sheet = part("sheet");
const beside = window.matchMedia("(min-width: 960px)");

const state = { person: PEOPLE[0], chat: CHATS[0], mention: true, unseen: 0, low: true, toGo: null, toastTimer: 0 };
const talks = new Map(); // key of a chat → its messages, oldest first
const latest = new Map(); // person in a chat → their last message: only the answer to it may offer choices
const delivered = new Set();
const opened = new Set(); // mailboxes looked into before: what was in them at first is no news
let line = Promise.resolve(); // messages are sent one after another, so that answers come in order

// ---------------------------------------------------------------- small helpers

function hex(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function button(className, text, act) {
  const node = make("button", className, text);
  node.type = "button";
  node.addEventListener("click", act);
  return node;
}

function fill(node, ...children) {
  node.replaceChildren(...children.filter(Boolean));
  return node;
}

function two(value) {
  return typeof value === "number" ? value.toFixed(2) : "–";
}

function avatar(person, extra = "") {
  const node = make("span", `avatar ${person.colour} ${extra}`, person.name.replace("小", "").slice(0, 1));
  node.setAttribute("aria-hidden", "true");
  return node;
}

const botPerson = { id: BOT_USER, name: BOT, colour: "leaf" };
const personOf = (id) => PEOPLE.find((person) => person.id === id) || botPerson;

function talkKey(chat, person) {
  return chat.id ?? `private ${person.id}`;
}

function talkOf(chat, person) {
  const key = talkKey(chat, person);
  if (!talks.has(key)) talks.set(key, []);
  return talks.get(key);
}

const turnKey = (chat, person) => `${talkKey(chat, person)} ${person.id}`;

const isShown = (talk) => talk === talkOf(state.chat, state.person);

// ---------------------------------------------------------------- sending and receiving

function send(text, { called, chosen = "" }) {
  const { person, chat } = state;
  const asked = {
    id: hex(16), author: person.id, text, chosen, chat, at: Date.now(), mentioned: called || !chat.id, state: "sending",
  };
  say(chat, person, asked);
  queue(asked, person);
}

function queue(asked, person) {
  closeOptions(talkOf(asked.chat, person), person);
  latest.set(turnKey(asked.chat, person), asked);
  line = line.then(() => deliver(asked, person));
}

async function deliver(asked, person) {
  const typing = window.setTimeout(() => setTyping(asked, true), TYPING_AFTER_MS);
  try {
    const answer = await ask(asked, person);
    asked.state = "sent";
    hear(asked, person, answer);
  } catch (error) {
    asked.state = "failed";
    toast(error instanceof Refusal ? `没发出去：${error.message}` : "没发出去，请看看网络，再点「重发」");
  } finally {
    window.clearTimeout(typing);
    setTyping(asked, false);
    refresh(asked);
  }
}

class Refusal extends Error {}

async function ask(asked, person) {
  const message = { id: asked.id, text: asked.text, user: person.id, user_name: person.name, mentioned: asked.mentioned };
  if (asked.chat.id) message.chat = asked.chat.id;
  const response = await post(`channels/${encodeURIComponent(CHANNEL)}`, message);
  if (!response.ok) throw new Refusal(REFUSALS[response.status] || `服务器没有接受（${response.status}）`);
  return response.json();
}

function post(path, body) {
  return fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(GIVE_UP_MS),
  });
}

function hear(asked, person, answer) {
  const open = latest.get(turnKey(asked.chat, person)) === asked;
  const heard = { id: `${asked.id}-answer`, author: BOT_USER, to: person.id, text: answer.text, at: Date.now(), asked, answer, open };
  say(asked.chat, person, heard);
  void poll();
}

function retry(asked) {
  asked.state = "sending";
  refresh(asked);
  queue(asked, personOf(asked.author));
}

async function poll() {
  if (document.hidden) return;
  const { person, chat } = state;
  await fetchDeliveries(person, CHATS[2]);
  if (chat.id) await fetchDeliveries(person, chat);
  if (person !== STAFF) await fetchDeliveries(STAFF, CHATS[2]);
}

async function fetchDeliveries(person, chat) {
  const query = new URLSearchParams(chat.id ? { user: person.id, chat: chat.id } : { user: person.id });
  let found = [];
  try {
    const response = await fetch(`simulator/deliveries?${query}`, { signal: AbortSignal.timeout(GIVE_UP_MS) });
    if (response.ok) found = await response.json();
  } catch {
    return; // the next poll asks again
  }
  const box = `${person.id} ${chat.id}`;
  for (const notice of found) receive(notice, person, chat, opened.has(box));
  opened.add(box);
}

function receive(notice, person, chat, news) {
  const key = `${talkKey(chat, person)} ${notice.delivery_id}`;
  if (delivered.has(key)) return;
  delivered.add(key);
  const heard = { id: key, author: BOT_USER, text: notice.text, at: Date.now(), notice: true };
  say(chat, person, heard);
  if (!news || isShown(talkOf(chat, person))) return;
  toast(`${BOT}给${person.name}发了一条${chat.id ? "通知" : "私信"}`, "去看", () => show(person, chat));
}

// ---------------------------------------------------------------- the talk on the screen

function say(chat, person, message) {
  const talk = talkOf(chat, person);
  const before = talk[talk.length - 1];
  talk.push(message);
  if (!isShown(talk)) return;
  const stay = atBottom() || message.author === state.person.id;
  dropWelcome();
  append(message, before);
  drawHints();
  if (stay) return toBottom();
  state.unseen += 1;
  drawNews();
}

function append(message, before) {
  if (!before || message.at - before.at > TIME_GAP_MS) log.append(timeLine(message.at));
  log.append(draw(message));
}

function refresh(message) {
  const old = document.getElementById(`m-${message.id}`);
  if (old) old.replaceWith(draw(message));
}

function drawTalk() {
  log.setAttribute("aria-live", "off"); // a change of the person is no news
  const talk = talkOf(state.chat, state.person);
  fill(log, talk.length ? null : welcome());
  talk.forEach((message, at) => append(message, talk[at - 1]));
  toBottom();
  window.setTimeout(() => log.setAttribute("aria-live", "polite"), 0);
}

function draw(message) {
  const node = message.answer?.action === "silent" ? silentLine(message) : bubbleRow(message);
  node.id = `m-${message.id}`;
  return node;
}

function timeLine(at) {
  const node = make("time", "when", new Date(at).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false }));
  node.dateTime = new Date(at).toISOString();
  return node;
}

function silentLine(message) {
  const reason = REASONS[message.answer.reason] || "原因未知";
  const node = button("silent", `${BOT}没有回复（原因：${reason}）`, () => explain(message));
  node.append(" ", make("b", "", "为什么"));
  return node;
}

function bubbleRow(message) {
  const own = message.author === state.person.id;
  const fromBot = message.author === BOT_USER;
  const person = personOf(message.author);
  const row = make("article", `row${own ? " own" : ""}${fromBot ? " bot" : ""}`);
  const said = make("div", "said");
  said.append(nameLine(person, fromBot, message), bubble(message));
  if (message.state === "failed") said.append(failedButton(message));
  if (fromBot && message.answer) said.append(...below(message));
  row.append(avatar(person), said);
  return row;
}

function nameLine(person, fromBot, message) {
  const node = make("div", "name");
  node.append(make("span", "", person.name));
  if (fromBot) node.append(make("span", "badge", "助手"));
  if (message.notice) node.append(make("span", "badge", "通知"));
  return node;
}

function bubble(message) {
  const node = make("div", "bubble");
  const called = calledName(message);
  if (called) node.append(make("span", "mention", `@${called} `));
  node.append(make("span", "text", message.text));
  if (message.chosen) node.append(make("span", "chosen", `（${message.chosen}）`));
  return node;
}

function calledName(message) {
  if (message.to) return message.asked.chat.id ? personOf(message.to).name : "";
  return message.chat?.id && message.mentioned ? BOT : "";
}

function failedButton(message) {
  const node = button("failed", "", () => retry(message));
  const mark = make("b", "", "!");
  mark.setAttribute("aria-hidden", "true");
  node.append(mark, "没发出去，点这里重发");
  return node;
}

function below(message) {
  const found = [];
  const choices = quickReplies(message);
  if (choices.length) {
    const group = make("div", "options");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "可选的回复");
    group.append(...choices);
    found.push(group);
  }
  found.push(button("why", "为什么这样答", () => explain(message)));
  return found;
}

function quickReplies(message) {
  if (!message.open || message.to !== state.person.id) return [];
  const choices = message.answer.options.map((option, at) => optionButton(String(at + 1), option.label));
  if (message.text.includes("「详细」")) choices.push(optionButton("详细"));
  return choices;
}

function optionButton(reply, label = "") {
  const node = button(label ? "option" : "option plain", label ? "" : reply, () => {
    log.focus({ preventScroll: true }); // the choices go away
    send(reply, { called: true, chosen: label });
  });
  if (label) node.append(make("b", "", reply), make("span", "", label));
  return node;
}

function closeOptions(talk, person) {
  for (const message of talk) {
    if (!message.open || message.to !== person.id) continue;
    message.open = false;
    refresh(message);
  }
}

function welcome() {
  const node = make("section", "welcome");
  const texts = state.chat.id
    ? [
        `我是${BOT}，${SITE}的环保助手`, "这里像微信群一样用：点下面的问题，或自己打字，再按「发送」。",
        "点名 @ 我必回；不点名，问得明白我才开口。",
      ]
    : [`和${BOT}私聊`, `这里只有您和${BOT}，不用 @，直接问就行。`];
  fill(node, avatar(botPerson), make("h2", "", texts[0]), ...texts.slice(1).map((text) => make("p", "", text)));
  return node;
}

function dropWelcome() {
  log.querySelector(".welcome")?.remove();
}

function setTyping(asked, on) {
  log.querySelector(".row.typist")?.remove();
  if (!on || !asked.mentioned || !isShown(talkOf(asked.chat, personOf(asked.author)))) return;
  const stay = atBottom();
  log.append(typingRow());
  if (stay) toBottom();
}

function typingRow() {
  const row = make("div", "row bot typist");
  const said = make("div", "said");
  const box = make("div", "bubble");
  const dots = make("span", "typing", "正在输入");
  dots.append(make("i"), make("i"), make("i"));
  box.append(dots);
  said.append(nameLine(botPerson, true, {}), box);
  row.append(avatar(botPerson), said);
  return row;
}

function atBottom() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 48;
}

function toBottom() {
  log.scrollTop = log.scrollHeight;
  state.unseen = 0;
  drawNews();
}

function drawNews() {
  const node = part("news");
  node.hidden = state.unseen === 0;
  node.textContent = `↓ ${state.unseen} 条新消息`;
}

function toast(text, label = "", act = null) {
  window.clearTimeout(state.toastTimer);
  part("toast-text").textContent = text;
  part("toast-go").textContent = label;
  part("toast-go").hidden = !label;
  part("toast").hidden = false;
  state.toGo = act;
  state.toastTimer = window.setTimeout(hideToast, label ? 12000 : 5000);
}

function hideToast() {
  part("toast").hidden = true;
}

// ---------------------------------------------------------------- why

async function explain(message) {
  const place = beside.matches ? part("side-why") : part("sheet-body");
  const title = message.answer.action === "silent" ? "为什么没有回复" : "为什么这样答";
  const show = (...children) => (beside.matches ? fillSide(place, title, children) : fill(place, ...children));
  if (!beside.matches) openSheet(title);
  show(make("p", "empty", "正在查…"));
  try {
    show(because(message, await understanding(message)));
  } catch {
    show(make("p", "empty", "没查到，请检查网络后再点一次。"));
  }
}

function fillSide(place, title, children) {
  part("about").open = false;
  fill(place, make("h2", "", title), ...children);
  place.scrollTop = 0;
}

async function understanding(message) {
  const { asked } = message;
  const response = await post("simulator/explain", {
    text: asked.text, user: asked.author, chat: asked.chat.id, mentioned: asked.mentioned,
  });
  if (!response.ok) throw new Refusal(String(response.status));
  return response.json();
}

function because(message, found) {
  const { answer } = message;
  const node = make("div", "because");
  const limits = found.thresholds || {};
  fill(
    node,
    make("p", "quoted", `「${message.asked.text}」`),
    make("p", "verdict", verdict(answer)),
    facts([
      ["东西", itemWords(answer)], ["条目", answer.entry], ["话题", answer.topic], ["把握", answer.action === "answer" ? two(answer.score) : ""],
      ["用时", `${answer.latency_ms} 毫秒`],
    ]),
    heading("怎么判断的"),
    facts([
      ["规则", ruleWords(found.rule)], ["看作", KINDS[found.kind] || found.kind], ["读成", found.folded],
    ]),
    list([
      scored("这句话的得分", found.score, limits.accept),
      scored("像在提问", found.question_likelihood, limits.question),
    ]),
    heading("考虑过的条目，从高到低"),
    list(candidates(found, limits)),
    heading("门槛"),
    facts(Object.entries(limits).map(([key, value]) => [THRESHOLDS[key] || key, two(value)])),
    make("p", "note", "粗竖线是门槛。这里只看这一句话本身；接着上文的追问、数字选择，还要看前面说过什么。"),
  );
  return node;
}

function verdict(answer) {
  const said = ACTIONS[answer.action] || answer.action;
  return answer.reason ? `${said}：${REASONS[answer.reason] || answer.reason}` : said;
}

function itemWords(answer) {
  return answer.items.map((item) => `${item.name} → ${item.label || CATEGORY_WORDS[item.category] || item.category}${item.inferred ? "（推断）" : ""}`).join("，");
}

function ruleWords(rule) {
  if (rule?.startsWith("phrase: ")) return `像登记的问法「${rule.slice(8)}」`;
  return RULES[rule] ? `${RULES[rule]}（${rule}）` : rule;
}

function candidates(found, limits) {
  const shown = (found.candidates || []).slice(0, SHOWN_CANDIDATES);
  if (!shown.length) return [make("li", "empty", "没有相近的条目")];
  return shown.map((candidate) => scored(candidate.entry, candidate.score, limits.accept, ruleWords(candidate.rule)));
}

function heading(text) {
  return make("h3", "", text);
}

function facts(pairs) {
  const node = make("dl");
  for (const [label, value] of pairs) if (value) node.append(make("dt", "", label), make("dd", "", value));
  return node;
}

function list(rows) {
  const node = make("ol");
  node.append(...rows);
  return node;
}

function scored(label, score, limit, reason = "") {
  const node = make("li");
  const head = make("div", "scored");
  head.append(make("span", "", label), make("span", "", two(score)));
  node.append(head, meter(score, limit));
  if (reason) node.append(make("span", "by", reason));
  return node;
}

function meter(score, limit) {
  const node = make("span", "meter");
  node.setAttribute("aria-hidden", "true");
  const bar = make("i");
  bar.style.width = percent(score);
  node.append(bar);
  if (typeof limit === "number") {
    const mark = make("s");
    mark.style.left = percent(limit);
    node.append(mark);
  }
  return node;
}

function percent(share) {
  return `${Math.round(Math.min(1, Math.max(0, share || 0)) * 100)}%`;
}

// ---------------------------------------------------------------- sheets: who speaks, and where

function openSheet(title, ...children) {
  part("sheet-title").textContent = title;
  fill(part("sheet-body"), ...children);
  if (!sheet.open) sheet.showModal();
  part("sheet-body").scrollTop = 0;
}

function choosePerson() {
  const rows = PEOPLE.map((person) => pick(person, person === state.person, () => show(person, state.chat)));
  openSheet("您想当哪一位？", people(rows));
}

function chooseChat() {
  const rows = CHATS.map((chat) => {
    const name = chat.id ? `${chat.name}（${chat.members}人）` : `和${BOT}私聊`;
    const face = { name: chat.name, colour: chat.id ? "teal" : "leaf", about: chat.about };
    return pick(face, chat === state.chat, () => show(state.person, chat), name);
  });
  openSheet("去哪里说话？", people(rows));
}

function people(rows) {
  return fill(make("div", "people"), ...rows);
}

function pick(person, now, act, name = person.name) {
  const node = button("person", "", () => {
    sheet.close();
    act();
  });
  const texts = make("span");
  texts.append(make("strong", "", name), make("small", "", person.about));
  node.append(avatar(person), texts);
  if (now) node.append(make("em", "", "当前"));
  node.setAttribute("aria-pressed", String(now));
  return node;
}

function show(person, chat) {
  hideToast();
  state.person = person;
  state.chat = chat;
  drawBar();
  drawTalk();
  drawHints();
  void poll();
}

function drawBar() {
  const { person, chat } = state;
  part("title").textContent = chat.id ? `${chat.name}(${chat.members})` : chat.name;
  part("subtitle").textContent = `模拟 · 您现在是${person.name}`;
  part("me-avatar").replaceWith(Object.assign(avatar(person, "small"), { id: "me-avatar" }));
  part("me").setAttribute("aria-label", `换人，您现在是${person.name}`);
  part("at").hidden = !chat.id;
  drawMention();
}

function drawMention() {
  part("at").setAttribute("aria-pressed", String(state.mention));
  words.placeholder = state.chat.id && !state.mention ? "在群里说句话" : "问问怎么扔";
}

function drawHints() {
  const started = talkOf(state.chat, state.person).length > 0;
  const node = part("hints");
  node.classList.toggle("open", !started);
  const shown = started ? [...FIRST_HINTS, ...MORE_HINTS] : FIRST_HINTS;
  if (node.childElementCount === shown.length) return;
  fill(node, ...shown.map((text) => button("", text, () => draft(text))));
}

function draft(text) {
  words.value = text;
  words.focus();
  words.setSelectionRange(text.length, text.length);
}

// ---------------------------------------------------------------- listening to the person

function submit() {
  const typed = words.value.trim();
  words.focus();
  if (!typed) return;
  const called = typed.startsWith(`@${BOT}`);
  const rest = called ? typed.slice(BOT.length + 1).trim() : typed;
  send(rest, { called: called || state.mention });
  words.value = "";
}

function setLarge(large) {
  document.documentElement.classList.toggle("large", large);
  part("size").setAttribute("aria-pressed", String(large));
  try {
    window.localStorage.setItem("large", large ? "1" : "");
  } catch {
    return; // storage may be forbidden: the choice then lasts as long as the page
  }
}

function wasLarge() {
  try {
    return window.localStorage.getItem("large") === "1";
  } catch {
    return false;
  }
}

part("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
words.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return; // 229: the input method is busy
  event.preventDefault();
  submit();
});
document.addEventListener("keydown", (event) => {
  const writing = event.target instanceof HTMLTextAreaElement;
  if (event.key !== "/" || writing || sheet.open || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  words.focus();
});
part("at").addEventListener("click", () => {
  state.mention = !state.mention;
  drawMention();
  words.focus();
});
part("me").addEventListener("click", choosePerson);
part("where").addEventListener("click", chooseChat);
part("size").addEventListener("click", () => {
  const stay = atBottom();
  setLarge(!document.documentElement.classList.contains("large"));
  if (stay) toBottom();
});
part("news").addEventListener("click", toBottom);
part("toast-go").addEventListener("click", () => state.toGo?.());
part("sheet-close").addEventListener("click", () => sheet.close());
sheet.addEventListener("click", (event) => {
  if (event.target === sheet) sheet.close(); // the shade around the sheet
});
log.addEventListener("scroll", () => {
  state.low = atBottom();
  if (state.low && state.unseen) toBottom();
});
new ResizeObserver(() => {
  if (state.low) toBottom(); // the keyboard came up, or the letters grew
}).observe(log);

setLarge(wasLarge());
show(PEOPLE[0], CHATS[0]);
window.setInterval(poll, POLL_MS);
