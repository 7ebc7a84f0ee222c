/* SPDX-License-Identifier: MIT */
/* curve.js - memory over time: what the largest lines had, resident memory, marks, the peak; a moment or two can be chosen. */

const curve = (() => {
	const LOW = 190, HIGH = 430, LEFT = 64, RIGHT = 14, TOP = 20, BOTTOM = 22, SHOWN = 8;
	const points = CURVE.points, end = points.length ? points[points.length - 1][0] : 0;
	const largest = CURVE.lines.slice(0, SHOWN);
	let width = 0, most = 1, drag = null, height = LOW;

	function value(line, point) {
		return line.values[point];
	}

	function others(point) {
		return Math.max(0, points[point][1] - largest.reduce((sum, line) => sum + value(line, point), 0));
	}

	function x(ns) {
		return LEFT + (width - LEFT - RIGHT) * (end ? ns / end : 0);
	}

	function y(size) {
		return height - BOTTOM - (height - TOP - BOTTOM) * size / most;
	}

	function nearest(px) {
		const ns = (px - LEFT) / (width - LEFT - RIGHT) * end;
		let best = 0;

		points.forEach((point, i) => {
			if (Math.abs(point[0] - ns) < Math.abs(points[best][0] - ns))
				best = i;
		});
		return best;
	}

	/* A round number not above a quarter of the whole. */
	function stepOf(size, base) {
		const rough = size / 4, power = base ** Math.floor(Math.log(Math.max(rough, 1)) / Math.log(base));
		const steps = base === 1024 ? [1, 2, 5, 10, 20, 50, 100, 200, 500] : [1, 2, 5];

		return power * (steps.filter((s) => s * power <= rough).pop() || 1);
	}

	/* `scale` is the time that the whole width stands for. */
	function axes(scale) {
		const parts = [], step = stepOf(most, 1024), unit = stepOf(scale, 10), at = (ns) => x(ns * (end || 1) / (scale || 1));

		for (let size = 0; size <= most; size += step)
			parts.push(svg("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: y(size), y2: y(size) }),
				svg("text", { class: "label", x: LEFT - 8, y: y(size) + 4, "text-anchor": "end" }, bytes(size)));
		for (let ns = 0; ns <= scale; ns += unit)
			parts.push(svg("text", { class: "label", x: at(ns), y: height - 6, "text-anchor": at(ns) > width - 40 ? "end" : "middle" }, ns ? duration(ns) : "0"));
		return parts;
	}

	function area(lower, upper, name) {
		const there = upper.map((size, i) => `${x(points[i][0]).toFixed(1)},${y(size).toFixed(1)}`);
		const back = lower.map((size, i) => `${x(points[i][0]).toFixed(1)},${y(size).toFixed(1)}`).reverse();

		return svg("path", { class: name, d: `M${there.join("L")}L${back.join("L")}Z` });
	}

	function areas() {
		const parts = [];
		let lower = points.map(() => 0);

		largest.forEach((line, k) => {
			const upper = lower.map((size, i) => size + value(line, i));

			parts.push(area(lower, upper, `s${k}`));
			lower = upper;
		});
		parts.push(area(lower, lower.map((size, i) => size + others(i)), "rest"));
		return parts;
	}

	function lineOf(list, column, name) {
		const known = list.filter((point) => point[column] || column === 1);

		return known.length ? svg("path", { class: name, d: `M${known.map((p) => `${x(p[0]).toFixed(1)},${y(p[column]).toFixed(1)}`).join("L")}` }) : null;
	}

	function marks() {
		return points.filter((point) => point.length > 4).map((point) => svg("g", null,
			svg("line", { class: "markline", x1: x(point[0]), x2: x(point[0]), y1: TOP - 6, y2: height - BOTTOM }),
			svg("text", { class: "label", x: x(point[0]) + 3, y: TOP - 8 }, clean(text(point[4]) || "").slice(0, 40))));
	}

	function flag() {
		const ns = CURVE.peak.ns, top = y(WHOLE[AT_PEAK]);

		if (ns === null || ns === undefined)
			return null;
		const left = x(ns) > width * 0.7;

		return svg("g", { class: "peak" }, svg("circle", { class: "flag", cx: x(ns), cy: top, r: 3.5 }),
			svg("text", { class: "label strong", x: x(ns) + (left ? -8 : 8), y: Math.max(12, top - 5), "text-anchor": left ? "end" : "start" }, `peak ${bytes(WHOLE[AT_PEAK])}`));
	}

	function chosen() {
		const { t0, t1 } = state;

		if (t0 === null)
			return [];
		const at = (point) => x(points[point][0]);

		return [t1 === null ? null : svg("rect", { class: "span", x: at(t0), width: Math.max(1, at(t1) - at(t0)), y: TOP, height: height - TOP - BOTTOM }),
			...(t1 === null ? [t0] : [t0, t1]).map((point) => svg("line", { class: "now", x1: at(point), x2: at(point), y1: TOP, y2: height - BOTTOM }))];
	}

	function liveText(p) {
		return `${bytes(p[1])}${p[2] === null ? "" : ` in ${plural(p[2], "block")}`}${p[3] ? `, resident ${bytes(p[3])}` : ""}`;
	}

	function describe(point) {
		const p = points[point], parts = largest.map((line) => [value(line, point), rowTitle(ROWS.line[line.row])]).filter(([size]) => size > 0);

		parts.sort((a, b) => b[0] - a[0]);
		return [`${instant(p[0])}: ${liveText(p)}`,
			...parts.slice(0, 6).map(([size, name]) => `${bytes(size)}  ${name}`)].join("\n");
	}

	function pointAt(event) {
		return nearest(event.clientX - event.currentTarget.getBoundingClientRect().left);
	}

	function choose(a, b) {
		update(a === b || b === null ? { t0: a, t1: null } : { t0: Math.min(a, b), t1: Math.max(a, b) });
	}

	const handlers = {
		onpointerdown(event) {
			drag = pointAt(event);
			event.currentTarget.setPointerCapture(event.pointerId);
			event.preventDefault();
			event.currentTarget.focus();
		},
		onpointermove(event) {
			const at = pointAt(event);

			tip.show(event, describe(at));
			if (drag !== null && at !== drag) {
				Object.assign(state, { t0: Math.min(at, drag), t1: Math.max(at, drag) });
				overlay();
			}
		},
		onpointerup(event) {
			const from = drag;

			drag = null;
			if (from !== null)
				choose(from, pointAt(event));
		},
		onpointerleave() {
			tip.hide();
		},
		onkeydown(event) {
			const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10, Home: -points.length, End: points.length }[event.key];
			const clamp = (n) => Math.max(0, Math.min(points.length - 1, n));
			const { t0, t1 } = state;

			if (event.key === "Escape" && t0 !== null) {
				update({ t0: null, t1: null });
			} else if (step) {
				if (t0 === null)
					choose(step > 0 ? 0 : points.length - 1, null);
				else if (event.shiftKey)
					choose(t0, clamp((t1 === null ? t0 : t1) + step));
				else
					choose(clamp((t1 === null ? t0 : t1) + step), null);
			} else {
				return;
			}
			event.preventDefault();
			event.stopPropagation();
		},
	};

	function momentText() {
		const { t0, t1 } = state;

		if (t0 === null)
			return points.length ? "click for a moment, drag for the growth between two" : "";
		const a = points[t0];

		if (t1 === null)
			return `at ${instant(a[0])}: ${liveText(a)}`;
		const b = points[t1], grown = b[1] - a[1];

		return `from ${instant(a[0])} to ${instant(b[0])}: ${grown < 0 ? "" : "+"}${bytes(grown)}${a[3] && b[3] ? `, resident ${b[3] < a[3] ? "" : "+"}${bytes(b[3] - a[3])}` : ""}`;
	}

	function overlay() {
		const group = document.querySelector("#curve .chosen"), slider = document.querySelector("#curve svg");

		if (!group)
			return;
		group.replaceChildren(...chosen().filter(Boolean));
		$("moment").textContent = momentText();
		slider.setAttribute("aria-valuenow", state.t1 === null ? state.t0 === null ? 0 : state.t0 : state.t1);
		slider.setAttribute("aria-valuetext", momentText());
		$("whole").hidden = state.t0 === null;
	}

	function legend() {
		const swatch = (name) => svg("svg", { viewBox: "0 0 18 10", "aria-hidden": "true" },
			name === "rss" || name === "old" || name === "new" ? svg("path", { class: name, d: "M0,5H18" }) : svg("rect", { class: name, width: 18, height: 10 }));
		const items = largest.map((line, k) => el("li", null, el("button", { type: "button", onclick: () => select(ROWS.line[line.row]) }, swatch(`s${k}`), rowTitle(ROWS.line[line.row]))));

		items.push(el("li", { class: "faint" }, swatch("rest"), "other lines"));
		if (points.some((point) => point[3]))
			items.push(el("li", { class: "faint" }, el("button", { type: "button", "aria-pressed": state.resident, title: "show or hide; the scale follows", onclick: () => update({ resident: !state.resident }) },
				swatch("rss"), `resident memory of the process${state.resident ? "" : " (hidden)"}`)));
		return items;
	}

	function draw() {
		const pane = $("curve");

		if (CURVE.missing || points.length < 2) {
			pane.replaceChildren(el("p", { class: "faint" }, CURVE.missing ? `No curve: ${CURVE.missing}.` : "The run was too short for a curve."));
			for (const id of ["save-curve", "whole"])
				$(id).hidden = true;
			return;
		}
		width = Math.max(320, pane.clientWidth);
		height = matchMedia("(min-width: 2000px)").matches ? HIGH : LOW;
		most = Math.max(1, WHOLE[AT_PEAK], ...points.map((point) => Math.max(point[1], state.resident ? point[3] : 0)));
		pane.replaceChildren(svg("svg", { viewBox: `0 0 ${width} ${height}`, height, tabindex: 0, role: "slider", "aria-label": "Moment of the run: arrows move, with shift they span two moments",
			"aria-valuemin": 0, "aria-valuemax": points.length - 1, "aria-valuenow": 0, ...handlers },
		axes(end), areas(), lineOf(points, 1, "total"), state.resident ? lineOf(points, 3, "rss") : null, marks(), flag(), svg("g", { class: "chosen" })));
		$("legend").replaceChildren(...legend());
		overlay();
	}

	/* Two curves on one scale, for what is compared. */
	function compare(target) {
		if (CURVE.missing || !CURVE.old.points.length)
			return;
		const both = [...points, ...CURVE.old.points], scale = Math.max(1, ...both.map((point) => point[0]));
		const at = (list) => list.map((point) => [point[0] * (end || 1) / scale, point[1]]);

		width = Math.max(320, target.clientWidth);
		height = LOW;
		most = Math.max(1, ...both.map((point) => point[1]));
		target.replaceChildren(svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": "Live memory of both runs" },
			axes(scale), lineOf(at(CURVE.old.points), 1, "old"), lineOf(at(points), 1, "new")),
		el("p", { class: "key" }, "live memory: ", el("span", { class: "up" }, "before"), ", ", el("span", { class: "down" }, "after")));
	}

	/* What a row had at the chosen moment, or how much it grew between the two, as far as the points know its lines; null: they know none. */
	const groups = Object.fromEntries(GROUPINGS.map((by) => [by, new Map()]));

	function keyOf(by, row) {
		if (by === "line")
			return row.by === "line" ? row.index : null;
		if (by === "file")
			return row.file || `in ${row.module}`;
		return by === "module" ? row.module : `${row.function} ${row.file || row.module}`;
	}

	for (const line of CURVE.lines)
		for (const by of GROUPINGS.slice(0, 4)) {
			const key = keyOf(by, ROWS.line[line.row]);

			groups[by].set(key, [...(groups[by].get(key) || []), line]);
		}

	function chosenValue(row) {
		const lines = state.t0 === null || row.by === "thread" ? null : groups[row.by].get(keyOf(row.by, row));

		return lines ? lines.reduce((sum, line) => sum + value(line, state.t1 === null ? state.t0 : state.t1) - (state.t1 === null ? 0 : value(line, state.t0)), 0) : null;
	}

	return { draw, overlay, compare, chosenValue, count: points.length };
})();
