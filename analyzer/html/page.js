/* SPDX-License-Identifier: MIT */
/* page.js - what is looked at, which is in the address's fragment, and what draws it. */

/* Modules in the order of what they had at the peak: the first ones have colours of their own. */
const MODULES = ROWS.module.slice().sort((a, b) => b.values[AT_PEAK] - a.values[AT_PEAK]).map((row) => row.module).filter(Boolean);

const TABS = [["memory", "Memory"], ["leaks", "Leaks"], ["missing", "What is missing"], ...(D.diff ? [["compare", "Compare"]] : [])];

const state = { measure: AT_PEAK, by: "line", sort: "", search: "", pattern: null, module: "", runtime: false, view: "callees", zoom: "", t0: null, t1: null, resident: true, chosen: null, tab: "memory" };
const initial = { ...state };

/* ---- the fragment */

const FIELDS = {
	measure: [(v) => MEASURES[v].key, (v) => Math.max(0, MEASURES.findIndex((m, i) => m.key === v && SELECTABLE.includes(i)))],
	by: [(v) => v, (v) => GROUPINGS.includes(v) ? v : "line"],
	sort: [(v) => v, (v) => v],
	search: [(v) => v, (v) => v],
	module: [(v) => v, (v) => v],
	runtime: [() => "hidden", (v) => v === "hidden"],
	view: [(v) => v, (v) => v === "callers" ? v : "callees"],
	zoom: [(v) => v, (v) => v],
	t0: [String, (v) => moment(v)],
	t1: [String, (v) => moment(v)],
	resident: [() => "hidden", (v) => v !== "hidden"],
	chosen: [(v) => JSON.stringify([v.file, v.line, v.function, v.module]), readChosen],
	tab: [(v) => v, (v) => TABS.some(([id]) => id === v) ? v : "memory"],
};

function moment(v) {
	const n = Number(v);

	return Number.isInteger(n) && n >= 0 && n < curve.count ? n : null;
}

function readChosen(v) {
	try {
		const [file, line, name, module] = JSON.parse(v);

		return { file, line, function: name, module };
	} catch {
		return null;
	}
}

function fragment() {
	const parts = new URLSearchParams();

	for (const [key, [write]] of Object.entries(FIELDS))
		if (state[key] !== initial[key] && state[key] !== null)
			parts.set(key, write(state[key]));
	return parts.toString();
}

function readFragment() {
	const parts = new URLSearchParams(location.hash.slice(1));

	Object.assign(state, initial);
	for (const [key, [, read]] of Object.entries(FIELDS))
		if (parts.has(key))
			state[key] = read(parts.get(key));
	if (state.t0 === null || (state.t1 !== null && state.t1 <= state.t0))
		state.t1 = null;
	compile();
}

/* ---- changes */

function compile() {
	try {
		state.pattern = state.search ? new RegExp(state.search, "i") : null;
		$("search").setAttribute("aria-invalid", "false");
	} catch {
		state.pattern = null;
		$("search").setAttribute("aria-invalid", "true");
	}
}

function update(change) {
	Object.assign(state, change);
	if ("measure" in change || "t0" in change || "by" in change)
		state.sort = "";
	if ("view" in change)
		state.zoom = "";
	if ("search" in change)
		compile();
	const now = fragment();

	if (now !== location.hash.slice(1))
		history.replaceState(null, "", now ? `#${now}` : location.pathname + location.search);
	draw(change);
}

function selectFrame(f) {
	update({ chosen: { file: f.file, line: f.line, function: f.function, module: f.module } });
}

/* Of a row: its line, or of a larger one that of its lines which has most. */
function select(row) {
	if (row.by === "line")
		return selectFrame(row);
	const inside = { function: (r) => r.function === row.function && (r.file === row.file || r.module === row.module), file: (r) => row.file ? r.file === row.file : !r.file && r.module === row.module, module: (r) => r.module === row.module }[row.by];
	const best = ROWS.line.filter(inside).sort((a, b) => b.values[state.measure] - a.values[state.measure])[0];

	selectFrame(best || row);
}

/* ---- the head */

function leakVerdict() {
	const f = D.leaks.found, size = f[0] + f[2], blocks = f[1] + f[3];

	return `${bytes(size)} lost${blocks ? ` in ${plural(blocks, "block")}` : ""}`;
}

function verdict() {
	const { peak } = CURVE, t = D.totals, owner = peak.frame === undefined ? null : FRAMES[peak.frame];
	const processes = D.trace.processes && D.trace.processes.count > 1;

	return `${processes ? `Sum of ${D.trace.processes.count} peaks` : "Peak"} ${bytes(t.peak_bytes)}${peak.ns ? ` at ${instant(peak.ns)}` : ""}${owner && !processes ? ` in ${frameTitle(owner)}` : ""}; ${D.leaks.classified ? leakVerdict() : `${bytes(t.current_bytes)} ${D.trace.state === "running" ? "live now" : "live at the end"}`}`;
}

function exactness() {
	const t = D.totals, sampled = D.trace.notes.some((note) => note.key === "sampled");

	if (sampled)
		return "estimates from samples";
	return t.peak_error_bytes ? `counts exact, peaks within ${bytes(t.peak_error_bytes)}` : t.peak_is_exact ? "exact to the byte" : "the peak is an upper bound";
}

function head() {
	const t = D.totals, losses = D.trace.notes.filter((note) => note.loss).length;
	const facts = [`ran ${D.trace.run_ns_is_exact ? "" : "at least "}${duration(D.trace.run_ns)}`, D.state, `${t.allocations} allocations of ${bytes(t.allocated_bytes)}`, `${bytes(t.current_bytes)} in ${plural(t.current_blocks, "block")} ${D.trace.state === "running" ? "now" : "at the end"}`, exactness()];

	document.title = `${programName()}: ${verdict()}`;
	$("verdict").textContent = verdict();
	$("program").textContent = clean(D.command);
	$("facts").replaceChildren(`${facts.map(clean).join(" · ")} · `, losses ? el("span", { class: "warn" }, `${plural(losses, "thing")} missing`) : "nothing is missing");
	$("about-text").replaceChildren(el("p", null, `${clean(D.trace.path)}, process ${D.trace.pid}${D.trace.host ? ` on ${clean(D.trace.host)}` : ""}; page by mtracer ${D.mtracer}`),
		el("div", { class: "wide" }, el("table", null, el("thead", null, el("tr", null, el("th", null, "Module"), el("th", null, "Build-id"))),
			el("tbody", null, Array.from({ length: D.modules.length / 2 }, (_, i) => el("tr", null, el("td", { class: "code" }, clean(text(D.modules[2 * i]))), el("td", { class: "code" }, D.modules[2 * i + 1] || "none")))))));
}

/* ---- drawing */

function drawTabs() {
	const focused = $("tabs").contains(document.activeElement);

	$("tabs").replaceChildren(...TABS.map(([id, title]) => {
		const losses = D.trace.notes.filter((note) => note.loss).length, count = id === "leaks" && D.leaks.classified && D.leaks.found[1] + D.leaks.found[3] ? ` (${bytes(D.leaks.found[0] + D.leaks.found[2])})` : id === "missing" && losses ? ` (${losses})` : "";

		return el("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": id, "aria-selected": state.tab === id, tabindex: state.tab === id ? 0 : -1, onclick: () => update({ tab: id }), onkeydown: moveTab }, title + count);
	}));
	if (focused)
		$(`tab-${state.tab}`).focus();
	for (const [id] of TABS)
		$(id).hidden = state.tab !== id;
	$("bar").hidden = state.tab !== "memory" && state.tab !== "compare";
}

function moveTab(event) {
	const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], at = TABS.findIndex(([id]) => id === state.tab);

	if (!step)
		return;
	update({ tab: TABS[(at + step + TABS.length) % TABS.length][0] });
	event.preventDefault();
}

function drawBar() {
	$("measure").value = String(state.measure);
	if ($("search").value !== state.search)
		$("search").value = state.search;
	$("module").value = state.module;
	$("runtime").checked = state.runtime;
	$("clear").hidden = !state.search && !state.module && !state.runtime;
	if (!state.pattern) {
		$("found").textContent = state.search ? "no regular expression" : "";
		return;
	}
	const { sum, count, whole } = flame.found(), rows = table.rows().length;

	$("found").textContent = `${plural(rows, "row")}; ${count} ${count === 1 ? "box" : "boxes"} with ${percent(sum, whole) || "0 %"}`;
}

/* Only what a change can be seen in. */
function draw(change) {
	const any = (...keys) => !change || keys.some((key) => key in change);

	if (any("tab"))
		drawTabs();
	drawBar();
	if (state.tab === "compare") {
		$("compare").replaceChildren(...comparePane().flat(2).filter(Boolean));
		curve.compare($("both"));
	}
	if (state.tab === "leaks" && any("tab"))
		$("leaks").replaceChildren(...leaksPane().flat(2).filter(Boolean));
	if (state.tab === "missing" && any("tab"))
		$("missing").replaceChildren(...missingPane().flat(2).filter(Boolean));
	if (state.tab !== "memory")
		return;
	if (any("tab", "resident"))
		curve.draw();
	else if (any("t0"))
		curve.overlay();
	if (any("tab", "measure", "search", "module", "runtime", "view", "zoom", "t0"))
		flame.draw();
	if (any("tab", "measure", "by", "sort", "search", "module", "runtime", "t0", "chosen"))
		table.draw();
	if (any("tab", "measure", "chosen"))
		source.draw();
}

/* ---- the start */

function start() {
	SELECTABLE.forEach((i) => $("measure").append(el("option", { value: String(i) }, MEASURES[i].title)));
	$("module").append(el("option", { value: "" }, "all"), ...MODULES.map((module) => el("option", { value: module }, shortPath(module))));
	GROUPINGS.forEach((by) => $("by").append(el("button", { type: "button", "data-by": by, onclick: () => update({ by }) }, by)));
	$("measure").addEventListener("change", (event) => update({ measure: +event.target.value }));
	$("search").addEventListener("input", (event) => update({ search: event.target.value }));
	$("module").addEventListener("change", (event) => update({ module: event.target.value, zoom: "" }));
	$("runtime").addEventListener("change", (event) => update({ runtime: event.target.checked, zoom: "" }));
	$("clear").addEventListener("click", () => update({ search: "", module: "", runtime: false }));
	$("whole").addEventListener("click", () => update({ t0: null, t1: null }));
	$("top-down").addEventListener("click", () => update({ view: "callees" }));
	$("bottom-up").addEventListener("click", () => update({ view: "callers" }));
	$("unzoom").addEventListener("click", () => update({ zoom: "" }));
	$("save-curve").addEventListener("click", () => savePicture("curve", "memory"));
	$("save-flame").addEventListener("click", () => savePicture("flame", "stacks"));
	$("copy").addEventListener("click", () => copyText(table.markdown()));
	document.addEventListener("keydown", (event) => {
		const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);

		if (event.key === "/" && !typing && !event.ctrlKey && !event.altKey) {
			event.preventDefault();
			$("search").focus();
		} else if (event.key === "Escape" && document.activeElement === $("search")) {
			update({ search: "" });
		}
	});
	addEventListener("hashchange", () => {
		readFragment();
		draw();
	});
	addEventListener("beforeprint", () => $("box").textContent = "");
	let last = innerWidth;

	addEventListener("resize", () => {
		if (last === innerWidth)
			return;
		last = innerWidth;
		draw();
	});
	head();
	readFragment();
	draw();
	/* What matters most is open already. */
	if (!state.chosen && ROWS.line.length) {
		state.chosen = initial.chosen = ROWS.line.reduce((best, row) => row.values[AT_PEAK] > best.values[AT_PEAK] ? row : best);
		table.draw();
		source.draw();
	}
}

start();
