/* SPDX-License-Identifier: MIT */
/* data.js - the trace's data as page_*.c wrote it, and how it is shown: names, figures, elements. */
"use strict";

const D = JSON.parse(document.getElementById("data").textContent);

/* In the order of enum page_measure. */
const MEASURES = [
	{ key: "at_peak_bytes", title: "At peak", bytes: true },
	{ key: "current_bytes", title: D.trace.state === "running" ? "Current" : "At the end", bytes: true },
	{ key: "lost_bytes", title: "Lost", bytes: true },
	{ key: "peak_bytes", title: "Own peak", bytes: true, alone: true },
	{ key: "allocated_bytes", title: "Allocated", bytes: true },
	{ key: "allocations", title: "Allocations" },
	{ key: "temporary", title: "Temporary" },
	{ key: "current_blocks", title: "Blocks" },
];
const AT_PEAK = 0, LOST = 2, OWN_PEAK = 3;
const COUNT = MEASURES.length;
const SELECTABLE = [0, 1, 2, 3, 4, 5, 6];

/* ---- figures */

function digits(value) {
	return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

function bytes(n) {
	const sign = n < 0 ? "-" : "", units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
	let value = Math.abs(n), unit = -1;

	if (value < 1024)
		return `${n} B`;
	for (; value >= 1023.5 && unit + 1 < units.length; unit++)
		value /= 1024;
	return `${sign}${value.toFixed(digits(value))} ${units[unit]}`;
}

function figure(n, measure) {
	return MEASURES[measure].bytes ? bytes(n) : String(n);
}

function duration(ns) {
	const s = ns / 1e9, whole = Math.round(s), two = (n) => String(n).padStart(2, "0");

	if (s < 0.0009995)
		return `${(s * 1e6).toFixed(0)} µs`;
	if (s < 0.9995)
		return `${+(s * 1e3).toPrecision(3)} ms`;
	if (s < 59.95)
		return `${+s.toPrecision(3)} s`;
	if (whole < 3600)
		return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
	return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} min`;
}

/* Moments need the digits that tell neighbours apart. */
function instant(ns) {
	return ns >= 1e10 ? duration(ns) : ns >= 1e9 ? `${(ns / 1e9).toFixed(2)} s` : `${(ns / 1e6).toFixed(ns < 1e7 ? 2 : 0)} ms`;
}

function percent(part, whole) {
	return whole > 0 ? `${(100 * part / whole).toFixed(1)} %` : "";
}

function plural(n, what) {
	return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/* ---- names */

/* What would turn the order of a text around, or can't be seen, is shown by its number. */
function clean(text) {
	return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
		(c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function text(index) {
	return D.texts[index];
}

/* Paths by as many of their last parts as tell them apart from the others. */
const shortPaths = (() => {
	const paths = new Set(), ends = new Map(), short = new Map();

	for (let i = 0; i < D.frames.length; i += 4)
		for (const index of [D.frames[i + 1], D.frames[i + 3]])
			if (index)
				paths.add(text(index));
	for (const by of ["line", "function", "file", "module"])
		for (const row of D.rows[by].rows)
			for (const index of [row[1], row[3]])
				if (index)
					paths.add(text(index));
	for (const path of paths) {
		const parts = path.split("/");

		for (let n = 1; n <= Math.min(parts.length, 8); n++) {
			const end = parts.slice(-n).join("/");

			ends.set(end, (ends.get(end) || 0) + 1);
		}
	}
	for (const path of paths) {
		const parts = path.split("/");
		let n = 1;

		while (n < Math.min(parts.length, 8) && ends.get(parts.slice(-n).join("/")) > 1)
			n++;
		short.set(path, clean(parts.slice(-n).join("/") || path));
	}
	return short;
})();

function shortPath(path) {
	return shortPaths.get(path) || clean(path.replace(/.*\/(?=.)/, ""));
}

function frame(index) {
	const at = 4 * index;

	return { function: text(D.frames[at]), file: text(D.frames[at + 1]), line: D.frames[at + 2], module: text(D.frames[at + 3]) };
}

const FRAMES = Array.from({ length: D.frames.length / 4 }, (_, i) => frame(i));

function place(f) {
	return f.file ? shortPath(f.file) + (f.line ? `:${f.line}` : "") : "";
}

function functionName(f) {
	return f.function ? clean(f.function) : "";
}

function frameTitle(f) {
	const where = place(f);

	return functionName(f) + (where ? ` (${where})` : "");
}

/* Libraries of the language, and what comes before main(). */
const RUNTIME_MODULE = /^(libc|libm|libpthread|libdl|librt|libstdc\+\+|libc\+\+|libc\+\+abi|libgcc_s|ld-linux[\w-]*|ld|ld-musl[\w-]*|libmtrace)([-.]|$)/;
const RUNTIME_FUNCTION = /^(std::|__gnu_cxx::|__cxxabiv1::|core::|alloc::|_start$|__libc_start|start_thread$|clone3?$|_dl_|operator (new|delete))/;

function isRuntime(f) {
	return RUNTIME_FUNCTION.test(f.function || "") || RUNTIME_MODULE.test((f.module || "").replace(/.*\//, ""));
}

/* ---- the call tree: node 0 is the program; nodes without frame are what was too small */

const TREE = (() => {
	const kept = D.tree.nodes.length / 2 + 1, rest = D.tree.rest, step = COUNT + 2;
	const count = kept + rest.length / step;
	const t = { parent: new Int32Array(count), frame: new Int32Array(count).fill(-1), own: new Float64Array(count * COUNT),
		stacks: new Int32Array(count), ends: [], count };

	for (let i = 1; i < kept; i++) {
		t.parent[i] = i - D.tree.nodes[2 * i - 2];
		t.frame[i] = D.tree.nodes[2 * i - 1];
	}
	for (let i = 0; i < D.tree.own.length; i += COUNT + 1) {
		const node = D.tree.own[i];

		t.own.set(D.tree.own.slice(i + 1, i + 1 + COUNT), node * COUNT);
		t.stacks[node] = 1;
		t.ends.push(node);
	}
	for (let i = 0; i < rest.length; i += step) {
		const node = kept + i / step;

		t.parent[node] = rest[i];
		t.stacks[node] = rest[i + 1];
		t.own.set(rest.slice(i + 2, i + step), node * COUNT);
		t.ends.push(node);
	}
	return t;
})();

/* Frames of a node's stack, innermost first. */
function stackOf(node) {
	const stack = [];

	for (let i = node; i > 0; i = TREE.parent[i])
		stack.push(TREE.frame[i]);
	return stack;
}

/* The frame that owns what a node allocated; of what was too small, none. */
function ownerOf(node) {
	return TREE.frame[node] >= 0 ? FRAMES[TREE.frame[node]] : null;
}

/* ---- rows */

/* What stands for a function where nothing is known of it is where the row is already. */
function isBareOffset(r) {
	return !r.file && (r.module ? (r.function || "").startsWith(`${r.module.replace(/.*\//, "")}+0x`) : (r.function || "").startsWith("0x"));
}

const GROUPINGS = ["line", "function", "file", "module", "thread"];

function readRow(by, row, index) {
	const thread = by === "thread";
	const r = { by, index, function: text(row[0]), file: thread ? null : text(row[1]), line: thread ? 0 : row[2], module: thread ? null : text(row[3]),
		exact: (row[4] & 1) > 0, mmap: (row[4] & 2) > 0, shared: (row[4] & 4) > 0, values: row.slice(5, 5 + COUNT), offset: row[5 + COUNT] };

	if (thread) {
		r.name = clean(r.function || "thread");
		r.where = `tid ${row[1]}${row[2] > 1 ? `, last of ${row[2]} threads` : ""}`;
		r.values[AT_PEAK] = r.values[LOST] = r.values[OWN_PEAK] = null;
		return r;
	}
	r.name = by === "file" || by === "module" ? "" : (isBareOffset(r) ? "" : functionName(r)) + (r.shared ? " and others" : "") + (r.mmap ? " [mmap]" : "");
	r.where = by === "module" ? (r.module ? shortPath(r.module) : "[no module]") : r.file ? place(r) :
		r.offset !== undefined && r.module ? `${shortPath(r.module)}+0x${r.offset.toString(16)}` : r.module ? shortPath(r.module) : by === "file" ? "[no file]" : "";
	return r;
}

const ROWS = {};
const REST = {};

for (const by of GROUPINGS) {
	ROWS[by] = D.rows[by].rows.map((row, i) => readRow(by, row, i));
	REST[by] = { count: D.rows[by].rest[0], values: D.rows[by].rest.slice(1) };
}

const WHOLE = (() => {
	const t = D.totals, found = D.leaks.found;

	return [t.peak_bytes, t.current_bytes, found[0] + found[2], t.peak_bytes, t.allocated_bytes, t.allocations, t.temporary, t.current_blocks];
})();

/* ---- the curve: lines by their row, each with what it had at each point */

/* The peak lies between two points mostly, and what lines had then is known of all. */
function addPeak(c, size, lines) {
	const { ns } = c;
	const at = c.points.findIndex((point) => point[0] > ns);

	if (!ns || at < 1 || c.points[at - 1][1] === size)
		return;
	c.points.splice(at, 0, [ns, size, null, 0]);
	for (const line of lines)
		line.values = Float64Array.of(...line.values.subarray(0, at), ROWS.line[line.row].values[AT_PEAK], ...line.values.subarray(at));
}

const CURVE = (() => {
	const c = D.rows.curve, lines = [];

	for (let i = 0; i < c.lines.length; i += 2) {
		const values = new Float64Array(c.points.length);
		let at = 0;

		for (const n of c.lines[i + 1]) {
			if (n >= 0)
				values[at++] = n;
			else
				for (let k = 0; k < -n; k++, at++)
					values[at] = values[at - 1];
		}
		lines.push({ row: c.lines[i], values });
	}
	addPeak({ points: c.points, ns: c.peak.ns }, WHOLE[AT_PEAK], lines);
	if (c.old)
		addPeak(c.old, c.old.size, []);
	return { points: c.points, lines, peak: c.peak, missing: c.missing, old: c.old, leftOut: c.left_out };
})();

/* ---- elements */

function put(element, attributes, children) {
	for (const [key, value] of Object.entries(attributes || {})) {
		if (key.startsWith("on"))
			element.addEventListener(key.slice(2), value);
		else if (key.startsWith("aria-") && typeof value === "boolean")
			element.setAttribute(key, String(value));
		else if (value !== null && value !== undefined && value !== false)
			element.setAttribute(key, value === true ? "" : value);
	}
	element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
	return element;
}

function el(tag, attributes, ...children) {
	return put(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
	return put(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function $(id) {
	return document.getElementById(id);
}

function say(message) {
	$("said").textContent = message;
}

/* A text beside the pointer. */
const tip = {
	show(event, message) {
		const t = $("tip");

		t.textContent = message;
		t.hidden = false;
		t.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - t.offsetWidth - 8))}px`;
		t.style.top = `${event.clientY + 18 + t.offsetHeight > innerHeight ? Math.max(4, event.clientY - t.offsetHeight - 10) : event.clientY + 18}px`;
	},
	hide() {
		$("tip").hidden = true;
	},
};

function frameList(indexes) {
	return el("ol", { class: "frames" }, indexes.map((index) => {
		const f = FRAMES[index];

		return el("li", null, functionName(f), el("span", { class: "faint" }, place(f) || (f.module ? shortPath(f.module) : "")));
	}));
}

/* ---- for other programs */

function download(name, content, type) {
	const link = el("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });

	document.body.append(link);
	link.click();
	link.remove();
	setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/* A picture that needs no style sheet: what the sheet says is written to each element. */
const INLINED = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size", "font-weight"];

function pictureOf(picture) {
	const copy = picture.cloneNode(true), from = picture.querySelectorAll("*"), to = copy.querySelectorAll("*");

	from.forEach((element, i) => {
		const style = getComputedStyle(element);

		for (const key of INLINED)
			to[i].setAttribute(key, style.getPropertyValue(key));
		for (const key of ["class", "tabindex", "role"])
			to[i].removeAttribute(key);
	});
	copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
	copy.setAttribute("width", picture.clientWidth);
	copy.setAttribute("height", picture.clientHeight);
	copy.prepend(svg("rect", { width: "100%", height: "100%", fill: getComputedStyle(document.body).backgroundColor }));
	return new XMLSerializer().serializeToString(copy);
}

function programName() {
	return clean((D.trace.program || "trace").replace(/.*\//, "")) || "trace";
}

function savePicture(id, what) {
	const picture = document.querySelector(`#${id} svg`);

	if (picture)
		download(`${programName().replace(/[^\w.-]/g, "_")}-${what}.svg`, pictureOf(picture), "image/svg+xml");
}

function copyText(content) {
	const area = el("textarea", { class: "unseen" });

	area.value = content;
	document.body.append(area);
	area.select();
	const copied = document.execCommand("copy");

	area.remove();
	say(copied ? "Copied" : "The browser doesn't allow copying");
}

/* What stands in a cell of Markdown as it is. */
function markdownCode(content) {
	const inner = content.replace(/\|/g, "\\|"), ticks = "`".repeat(Math.max(0, ...(inner.match(/`+/g) || []).map((t) => t.length)) + 1);
	const pad = /^`|`$/.test(inner) ? " " : "";

	return content ? `${ticks}${pad}${inner}${pad}${ticks}` : "";
}
