// SPDX-License-Identifier: MIT
// flamegraph.js - makes a flame graph's picture interactive: fits it to the window, zooms, searches, tells what is under the pointer.
//
// The picture is whole without it. Each box is a <g> with its measure (data-s: where it starts, data-v: how much it is), a <title> of
// lines (the function; where it is; its figures), a <rect>, and a <text> where there is room. Callers come before their calls.
// Nothing is ever made from text: names are only compared and set as textContent.
(function () {
	"use strict";
	const svg = document.currentScript.closest("svg");
	const HTML = "http://www.w3.org/1999/xhtml", SVG = "http://www.w3.org/2000/svg";
	const {row, margin, unit} = svg.dataset;
	const PAD = 3, LEAST = 0.1, TOOLS = 580, upwards = "upwards" in svg.dataset;
	const boxes = [];
	let width = 0, letter = 7.25, zoomed;

	function make(space, name, attributes, parent) {
		const node = document.createElementNS(space, name);
		for (const key in attributes)
			node.setAttribute(key, attributes[key]);
		return parent ? parent.appendChild(node) : node;
	}

	// ---- boxes

	// What follows a name: its measure, the first of its figures; or how it grew, the last.
	function figure(box) {
		const figures = box.lines[box.lines.length - 1].split(/[,;] /);
		return "growth" in svg.dataset && !box.rest ? figures[figures.length - 1] : figures[0];
	}

	function read() {
		const path = [];
		for (const g of svg.querySelector(".boxes").children) {
			const title = g.querySelector("title"), rect = g.querySelector("rect");
			const box = {g, rect, text: g.querySelector("text"), lines: title.textContent.split("\n"), y: +rect.getAttribute("y"),
				start: +g.dataset.s, size: +g.dataset.v, rest: g.classList.contains("rest"), calls: [], hit: false};
			box.depth = boxes.length ? Math.abs(box.y - boxes[0].y) / row : 0;
			path[box.depth] = box;
			box.caller = box.depth ? path[box.depth - 1] : null;
			if (box.caller)
				box.caller.calls.push(box);
			box.figure = figure(box);
			// The browser's own tooltip would lie over ours.
			g.setAttribute("aria-label", title.textContent);
			title.remove();
			if (!box.rest) {
				g.setAttribute("role", "button");
				g.setAttribute("tabindex", 0);
			}
			g.box = box;
			boxes.push(box);
		}
	}

	// Innermost groups first: "a<b<c>>" is "a<…>".
	function emptied(name, group) {
		for (let before; before !== name;) {
			before = name;
			name = name.replace(group, "$1…$2");
		}
		return name;
	}

	function shorten(name, columns) {
		if (name.length > columns)
			name = emptied(name, /(\w<)(?!…>)[^<>()]*(?:\([^()<>]*\)[^<>()]*)*(>)/g);
		if (name.length > columns)
			name = emptied(name, /(\()(?!…\)|anonymous)[^()]+(\))/g);
		while (name.length > columns && /^…?[^<(:]*::./.test(name))
			name = "…" + name.replace(/^…?[^<(:]*::/, "");
		return name.length <= columns ? name : name.slice(0, columns - 1) + "…";
	}

	// The name, and its figure where there is room for both.
	function label(box, columns) {
		const name = columns < 3 ? "" : shorten(box.lines[0], columns);
		box.text.textContent = name;
		if (name && name.length + 2 + box.figure.length <= columns)
			make(SVG, "tspan", {dx: 8}, box.text).textContent = box.figure;
	}

	function place(box, x, w) {
		const columns = Math.floor((w - 2 * PAD) / letter);
		box.rect.setAttribute("x", x.toFixed(2));
		box.rect.setAttribute("width", Math.max(w - 0.5, 0.1).toFixed(2));
		if (!box.text && columns >= 3)
			box.text = make(SVG, "text", {y: box.y + 12}, box.g);
		if (box.text) {
			box.text.setAttribute("x", (x + PAD).toFixed(2));
			label(box, columns);
		}
	}

	function isAbove(box, other) {
		return box.depth < other.depth && box.start <= other.start && other.start < box.start + box.size;
	}

	function isWithin(box, other) {
		return box === other || isAbove(other, box);
	}

	function layOut() {
		const room = width - 2 * margin, scale = room / zoomed.size;
		for (const box of boxes) {
			const above = isAbove(box, zoomed), w = box.size * scale;
			const shown = above || (isWithin(box, zoomed) && w >= LEAST);
			box.g.style.display = shown ? "" : "none";
			box.g.classList.toggle("above", above);
			if (shown)
				place(box, above ? +margin : +margin + (box.start - zoomed.start) * scale, above ? room : w);
		}
	}

	function zoom(box) {
		if (box.rest)
			return;
		zoomed = box;
		reset.hidden = box === boxes[0];
		hide();
		layOut();
		count();
	}

	// ---- search

	function show(size) {
		const digits = (value) => value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
		const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
		let at = 0;
		if (unit !== "bytes")
			return `${size}`;
		for (; size >= (at ? 1023.5 : 1024) && at < 6; at++)
			size /= 1024;
		return `${at ? digits(size) : size} ${units[at]}`;
	}

	// What was found counts once: calls inside it are part of it.
	function count() {
		let sum = 0, end = -1, found = 0;
		for (const box of boxes) {
			if (!box.hit || !isWithin(box, zoomed))
				continue;
			found++;
			if (box.start >= end) {
				sum += box.size;
				end = box.start + box.size;
			}
		}
		if (input.value && input.getAttribute("aria-invalid") !== "true")
			result.textContent = `${(100 * sum / zoomed.size).toFixed(1)} %, ${show(sum)} in ${found} ${found === 1 ? "box" : "boxes"}`;
	}

	function search() {
		let expression = null;
		input.setAttribute("aria-invalid", false);
		result.textContent = "";
		try {
			expression = input.value ? new RegExp(input.value, "i") : null;
		} catch (error) {
			input.setAttribute("aria-invalid", true);
			result.textContent = "no regular expression";
		}
		for (const box of boxes) {
			box.hit = !!expression && !box.rest && (expression.test(box.lines[0]) || (box.lines.length > 2 && expression.test(box.lines[1])));
			box.g.classList.toggle("hit", box.hit);
		}
		svg.classList.toggle("searching", !!expression);
		count();
	}

	// ---- what is under the pointer

	function wrapped(lines) {
		const most = Math.max(20, Math.min(100, Math.floor((width - 40) / letter)));
		return lines.flatMap((line, index) => {
			const parts = line.match(new RegExp(`.{1,${most}}`, "gu")) || [""];
			return parts.map((part) => [part, index === 0]);
		});
	}

	function tell(box, x, y) {
		const place = svg.getBoundingClientRect(), lines = wrapped(box.lines);
		const w = Math.max(...lines.map((line) => line[0].length)) * letter + 16, h = lines.length * 16 + 10;
		hide();
		x = Math.max(2, Math.min(x - place.left + 12, width - w - 2));
		y = (y + 20 + h > window.innerHeight ? Math.max(0, y - h - 12) : y + 20) - place.top;
		make(SVG, "rect", {x, y, width: w, height: h, rx: 4}, tip);
		lines.forEach(([line, strong], index) => {
			make(SVG, "text", {x: x + 8, y: y + 17 + 16 * index, class: strong ? "name" : ""}, tip).textContent = line;
		});
	}

	function hide() {
		tip.replaceChildren();
	}

	function boxOf(node) {
		const g = node.closest && node.closest(".boxes > g");
		return g ? g.box : null;
	}

	// ---- keys

	function neighbour(box, by) {
		const level = boxes.filter((other) => other.depth === box.depth && !other.rest && other.g.style.display !== "none");
		return level[level.indexOf(box) + by];
	}

	function inwards(box) {
		return box.calls.find((call) => !call.rest && call.g.style.display !== "none");
	}

	function step(box, key) {
		const moves = {ArrowLeft: () => neighbour(box, -1), ArrowRight: () => neighbour(box, 1),
			[upwards ? "ArrowDown" : "ArrowUp"]: () => box.caller, [upwards ? "ArrowUp" : "ArrowDown"]: () => inwards(box)};
		const next = moves[key] && moves[key]();
		if (next)
			next.g.focus();
		return !!moves[key];
	}

	function escape() {
		if (input.value) {
			input.value = "";
			search();
		} else {
			zoom(boxes[0]);
		}
	}

	function press(event) {
		const box = boxOf(event.target), find = event.key === "f" && (event.ctrlKey || event.metaKey);
		let taken = true;
		if ((find || (event.key === "/" && !event.ctrlKey && !event.altKey)) && event.target !== input)
			input.focus();
		else if (event.key === "Escape")
			escape();
		else if (box && (event.key === "Enter" || event.key === " "))
			zoom(box);
		else
			taken = !!box && step(box, event.key);
		if (taken)
			event.preventDefault();
	}

	// ---- the start

	const tools = make(SVG, "foreignObject", {y: 6, width: TOOLS, height: 30});
	const bar = make(HTML, "div", {class: "tools"}, tools);
	const reset = make(HTML, "button", {type: "button", title: "Escape"}, bar);
	const result = make(HTML, "output", {"aria-live": "polite"}, bar);
	const input = make(HTML, "input", {type: "search", placeholder: "search: regex  ( / )", "aria-label": "search by regular expression", spellcheck: false}, bar);
	const tip = make(SVG, "g", {class: "tip", "aria-hidden": true});

	function measured() {
		const text = make(SVG, "text", {}, tip);
		text.textContent = "m".repeat(100);
		return text.getComputedTextLength() / 100;
	}

	function fit() {
		const now = svg.getBoundingClientRect().width;
		if (!now || now === width)
			return;
		width = now;
		tools.setAttribute("x", Math.max(0, width - margin - TOOLS));
		layOut();
	}

	read();
	if (!boxes.length)
		return;
	zoomed = boxes[0];
	reset.textContent = "reset zoom";
	reset.hidden = true;
	svg.insertBefore(tools, svg.querySelector(".boxes"));
	svg.appendChild(tip);
	svg.setAttribute("role", "group");
	svg.setAttribute("width", "100%");
	svg.removeAttribute("viewBox");
	letter = measured() || letter;
	fit();
	window.addEventListener("resize", fit);
	svg.addEventListener("click", (event) => boxOf(event.target) && zoom(boxOf(event.target)));
	svg.addEventListener("pointermove", (event) => {
		const box = boxOf(event.target);
		if (box)
			tell(box, event.clientX, event.clientY);
		else
			hide();
	});
	svg.addEventListener("pointerleave", hide);
	svg.addEventListener("focusin", (event) => {
		const box = boxOf(event.target), at = box && box.rect.getBoundingClientRect();
		if (box && box.g.matches(":focus-visible"))
			tell(box, at.left, at.bottom);
		else
			hide();
	});
	input.addEventListener("input", search);
	reset.addEventListener("click", () => zoom(boxes[0]));
	document.addEventListener("keydown", press);
	if (upwards && svg === document.documentElement)
		window.scrollTo(0, svg.getBoundingClientRect().height);
})();
