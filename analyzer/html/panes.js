/* SPDX-License-Identifier: MIT */
/* panes.js - the table, the source of what is chosen, its call stacks, and the tabs beside the memory. */

function rowTitle(row) {
	return [row.where, row.name].filter(Boolean).join("  ");
}

/* As `report --match` does it: the function, file:line or module. */
function matches(row) {
	return [row.function, row.file ? row.file + (row.line ? `:${row.line}` : "") : null, row.module].some((part) => part && state.pattern.test(part));
}

function matchesFrame(f) {
	return matches(f);
}

/* ---- the table */

const table = (() => {
	const FIRST = 100;
	let all = false, shown = [];

	function columns() {
		const list = SELECTABLE.map((measure) => ({ key: MEASURES[measure].key, title: MEASURES[measure].title, measure, value: (row) => row.values[measure] }));

		list.push({ key: "current_blocks", title: MEASURES[7].title, measure: 7, value: (row) => row.values[7] });
		if (state.t0 !== null && state.by !== "thread")
			list.unshift({ key: "moment", title: state.t1 === null ? `At ${instant(CURVE.points[state.t0][0])}` : "Growth", measure: AT_PEAK, moment: true, value: curve.chosenValue });
		/* The measure that is looked at comes first. */
		const lead = list.findIndex((column) => (column.moment ? true : column.measure === state.measure && state.t0 === null));

		list.unshift(...list.splice(Math.max(0, lead), 1));
		return list.filter((column) => state.by !== "thread" || ![AT_PEAK, LOST, OWN_PEAK].includes(column.measure));
	}

	function keeps(row) {
		return (!state.pattern || matches(row)) && (!state.module || row.by === "thread" || (row.module || "") === state.module) &&
			(!state.runtime || row.by === "thread" || !isRuntime(row));
	}

	function sorted(list, column) {
		const value = (row) => {
			const v = column.value(row);

			return v === null || v === undefined ? -Infinity : state.t1 !== null && column.moment ? v : v;
		};
		const order = (a, b) => value(b) - value(a) || (b.values[AT_PEAK] || 0) - (a.values[AT_PEAK] || 0) || b.values[4] - a.values[4] || a.index - b.index;

		return state.sort === "name" ? list.sort((a, b) => a.where < b.where ? -1 : a.where > b.where ? 1 : a.line - b.line) : list.sort(order);
	}

	/* What is shown, in order, and what it comes to; the test of the page and Markdown want it, too. */
	function rows() {
		const list = columns(), by = list.find((column) => column.key === state.sort) || list[0];

		return sorted(ROWS[state.by].filter(keeps), by);
	}

	function cellText(column, row) {
		const v = column.value(row);

		if (v === null || v === undefined)
			return "";
		if (column.moment && state.t1 !== null)
			return `${v > 0 ? "+" : ""}${bytes(v)}`;
		return v === 0 ? "" : `${column.measure === OWN_PEAK && !row.exact ? "≤ " : ""}${figure(v, column.measure)}`;
	}

	function cell(column, row, lead, most) {
		const v = column.value(row), td = el("td", { class: lead ? "n lead" : "n", "data-value": v === null ? "" : v }, cellText(column, row));

		if (lead && v && most > 0) {
			const bar = el("span", { class: "bar" });

			bar.style.width = `${Math.min(100, 100 * Math.abs(v) / most)}%`;
			td.append(bar);
		}
		if (column.moment && v)
			td.classList.add(state.t1 === null ? "n" : v > 0 ? "up" : "down");
		return td;
	}

	function isSelected(row) {
		return state.chosen !== null && row.by === "line" && state.chosen.file === row.file && state.chosen.line === row.line && (row.file !== null || state.chosen.function === row.function);
	}

	function line(row, list, most) {
		return el("tr", { tabindex: row.by === "thread" ? null : -1, "aria-selected": isSelected(row), "data-index": row.index },
			el("td", { class: "where", title: row.file ? clean(row.file) + (row.line ? `:${row.line}` : "") : row.module ? clean(row.module) : null }, row.where),
			state.by === "file" || state.by === "module" ? null : el("td", { class: "name", title: row.name }, row.name),
			list.map((column, i) => cell(column, row, i === 0, most)));
	}

	function sumLine(list, kept) {
		const whole = !state.pattern && !state.module && !state.runtime;
		const value = (column) => column.moment ? kept.reduce((sum, row) => sum + (column.value(row) || 0), 0) :
			column.measure === OWN_PEAK ? null : kept.reduce((sum, row) => sum + column.value(row), 0) + (whole ? REST[state.by].values[column.measure] : 0);

		return el("tr", { class: "sum" }, el("td", { class: "where" }, whole ? "all" : `${kept.length} of ${ROWS[state.by].length} rows`),
			state.by === "file" || state.by === "module" ? null : el("td", null, ""),
			list.map((column) => {
				const v = value(column);

				return el("td", { class: "n", "data-value": v === null ? "" : v }, v === null ? "" : column.moment && state.t1 !== null && v > 0 ? `+${bytes(v)}` : figure(v, column.measure));
			}));
	}

	function restLine(list) {
		const rest = REST[state.by];

		if (!rest.count || state.pattern || state.module || state.runtime)
			return null;
		return el("tr", { class: "small" }, el("td", { class: "where" }, `(${plural(rest.count, "smaller row")})`),
			state.by === "file" || state.by === "module" ? null : el("td", null, ""),
			list.map((column) => el("td", { class: "n" }, column.moment || column.measure === OWN_PEAK ? "" : figure(rest.values[column.measure], column.measure))));
	}

	function header(list) {
		const sort = (key) => () => update({ sort: key });
		const current = state.sort || list[0].key;

		return el("tr", null, el("th", { "aria-sort": state.sort === "name" ? "ascending" : null }, el("button", { type: "button", onclick: sort("name") }, { line: "Line", function: "File", file: "File", module: "Module", thread: "Thread" }[state.by])),
			state.by === "file" || state.by === "module" ? null : el("th", null, state.by === "thread" ? "Name" : "Function"),
			list.map((column) => el("th", { class: "n", "aria-sort": column.key === current ? "descending" : null }, el("button", { type: "button", onclick: sort(column.key) }, column.title))));
	}

	function move(tr, key) {
		const next = { ArrowDown: tr.nextElementSibling, ArrowUp: tr.previousElementSibling }[key];

		if (!next || !next.hasAttribute("tabindex"))
			return;
		tr.tabIndex = -1;
		next.tabIndex = 0;
		next.focus();
	}

	const handlers = {
		onclick(event) {
			const tr = event.target.closest("tbody tr[tabindex]");

			if (tr)
				select(ROWS[state.by][tr.dataset.index]);
		},
		onkeydown(event) {
			const tr = event.target.closest("tbody tr[tabindex]");

			if (!tr)
				return;
			if (event.key === "Enter" || event.key === " ")
				select(ROWS[state.by][tr.dataset.index]);
			else if (event.key === "ArrowDown" || event.key === "ArrowUp")
				move(tr, event.key);
			else
				return;
			event.preventDefault();
		},
	};

	function draw() {
		const list = columns(), kept = rows(), most = kept.reduce((m, row) => Math.max(m, Math.abs(list[0].value(row) || 0)), 0);
		const focused = document.activeElement.closest && document.activeElement.closest("#table tr[tabindex]"), index = focused ? focused.dataset.index : null;

		shown = all ? kept : kept.slice(0, FIRST);
		$("table").replaceChildren(el("table", handlers, el("caption", { class: "unseen" }, `Memory by ${state.by}`),
			el("thead", null, header(list)), el("tbody", null, sumLine(list, kept), shown.map((row) => line(row, list, most)), restLine(list))));
		if (kept.length > shown.length)
			$("table").append(el("button", { class: "more", type: "button", onclick: () => {
				all = true;
				draw();
			} }, `Show all ${kept.length} rows`));
		for (const button of $("by").children)
			button.setAttribute("aria-pressed", button.dataset.by === state.by);
		const first = (index !== null && document.querySelector(`#table tr[data-index="${index}"]`)) || document.querySelector("#table tr[aria-selected=true]") || document.querySelector("#table tbody tr[tabindex]");

		if (first)
			first.tabIndex = 0;
		if (first && index !== null)
			first.focus({ preventScroll: true });
	}

	function markdown() {
		const list = columns().filter((column) => column.moment || SELECTABLE.includes(column.measure)), kept = rows().slice(0, 20);
		const two = state.by !== "file" && state.by !== "module";
		const lines = [$("verdict").textContent.replace(/[<>&|*_`[\]\\]/g, "\\$&"), "",
			`| ${[...list.map((column) => column.title), "where", ...(two ? ["function"] : [])].join(" | ")} |`,
			`|${list.map(() => "--:|").join("")}:--|${two ? ":--|" : ""}`];

		for (const row of kept)
			lines.push(`| ${[...list.map((column) => cellText(column, row)), markdownCode(row.where), ...(two ? [markdownCode(row.name)] : [])].join(" | ")} |`);
		return `${lines.join("\n")}\n`;
	}

	return { draw, rows, markdown };
})();

/* ---- source and call stacks of what is chosen */

const source = (() => {
	const STACKS = 12;

	/* The smallest function that has the line. */
	function find(f) {
		const inside = (D.sources || []).filter((s) => text(s.file) === f.file && (f.line ? f.line >= s.first && f.line < s.first + s.count : text(s.function) === f.function));

		return inside.sort((a, b) => a.count - b.count)[0] || null;
	}

	function bar(own, whole, total) {
		const w = (n) => Math.max(0, Math.min(60, 60 * n / Math.max(total, 1)));

		return svg("svg", { viewBox: "0 0 60 12", "aria-hidden": "true" }, svg("rect", { class: "barall", width: w(whole), height: 12, rx: 1 }), svg("rect", { class: "barfill", y: 3, width: w(own), height: 6 }));
	}

	function figuresOf(s) {
		const lines = new Map(), n = COUNT + 1;

		for (let i = 0; i < s.lines.length; i += n)
			lines.set(s.lines[i], { all: s.lines.slice(i + 1, i + n), own: null });
		for (const row of ROWS.line)
			if (row.file === text(s.file) && row.line >= s.first && row.line < s.first + s.count) {
				if (!lines.has(row.line))
					lines.set(row.line, { all: null, own: null });
				lines.get(row.line).own = row.values;
			}
		/* What is lost is only known of stacks. */
		for (const figures of lines.values())
			if (figures.all)
				figures.all[LOST] = 0;
		for (const node of TREE.ends) {
			const lost = TREE.own[node * COUNT + LOST];

			if (!lost)
				continue;
			for (const number of new Set(stackOf(node).filter((i) => i >= 0 && FRAMES[i].file === text(s.file)).map((i) => FRAMES[i].line)))
				if (lines.has(number) && lines.get(number).all)
					lines.get(number).all[LOST] += lost;
		}
		return lines;
	}

	function listing(s) {
		const figures = figuresOf(s), measure = MEASURES[state.measure].alone ? AT_PEAK : state.measure, shown = state.measure;
		const total = WHOLE[measure];
		const lines = s.text.split("\n");

		return el("table", null, el("thead", null, el("tr", null, el("th", { class: "n" }, `${MEASURES[shown].title}`), el("th", { class: "n" }, "with callees"), el("th", null, ""), el("th", null, ""), el("th", { title: clean(text(s.file)) }, shortPath(text(s.file))))),
			el("tbody", { onclick: chooseLine, onkeydown: (event) => event.key === "Enter" && chooseLine(event) }, lines.map((line, i) => {
				const number = s.first + i, f = figures.get(number), own = f && f.own ? f.own[shown] : 0, all = f && f.all ? f.all[measure] : 0;

				return el("tr", { class: [own ? "hot" : "", state.chosen && state.chosen.line === number ? "chosen" : ""].join(" ").trim() || null, "data-line": number, tabindex: f ? 0 : null },
					el("td", { class: "n", "data-value": own }, own ? figure(own, shown) : ""), el("td", { class: "n faint", "data-value": all }, all ? figure(all, measure) : ""),
					el("td", null, f && (own || all) ? bar(shown === OWN_PEAK && f.own ? f.own[AT_PEAK] : own, all, total) : ""), el("td", { class: own ? "number is" : "number" }, String(number)), el("td", { class: "text" }, clean(line.replace(/\t/g, "        ")) || " "));
			})));

		function chooseLine(event) {
			const tr = event.target.closest("tr[tabindex]");

			if (tr)
				selectFrame({ file: text(s.file), line: +tr.dataset.line, function: text(s.function), module: text(s.module) });
		}
	}

	function endsAt(f) {
		const same = f.file && f.line ? (o) => o.file === f.file && o.line === f.line : (o) => o.function === f.function && o.module === f.module;
		const owned = TREE.ends.filter((node) => ownerOf(node) && same(ownerOf(node)));

		return owned.length ? { nodes: owned, owned: true } : { nodes: TREE.ends.filter((node) => stackOf(node).some((i) => i >= 0 && same(FRAMES[i]))), owned: false };
	}

	function stacks(f) {
		const measure = state.measure, { nodes, owned } = endsAt(f);
		const list = nodes.filter((node) => TREE.own[node * COUNT + measure] > 0).sort((a, b) => TREE.own[b * COUNT + measure] - TREE.own[a * COUNT + measure]);
		const what = `${owned ? "allocate" : "pass"}${list.length === 1 ? (owned ? "s" : "es") : ""} here`;

		return [el("h3", null, list.length ? `${plural(list.length, "call stack")} that ${what}` : `No call stack: ${MEASURES[measure].title.toLowerCase()} is 0 here`),
			list.slice(0, STACKS).map((node, i) => {
				const indexes = stackOf(node), value = TREE.own[node * COUNT + measure], blocks = TREE.own[node * COUNT + 7];
				const callers = indexes.slice(1, 4).filter((k) => k >= 0).map((k) => functionName(FRAMES[k]));

				return el("details", { class: "stack", open: i === 0 }, el("summary", null, el("b", null, figure(value, measure)), ` ${percent(value, WHOLE[measure])}`,
					blocks > 0 && MEASURES[measure].bytes && measure === 1 ? ` in ${plural(blocks, "block")}` : "", callers.length ? el("span", { class: "faint" }, ` by ${callers.join(" ← ")}`) : ""),
				frameList(indexes.filter((k) => k >= 0)), indexes[0] < 0 ? el("p", { class: "faint" }, "and further calls, too small to be kept") : null);
			}), list.length > STACKS ? el("p", { class: "faint" }, `${list.length - STACKS} more`) : null];
	}

	function absent(f) {
		if (!f.file)
			return `No source: there is no debug information for ${functionName(f) || shortPath(f.module || "this code")}. Build with -g, or read the trace with --debug-dir or --debuginfod.`;
		if (!D.sources)
			return "The page was written without source code (--no-source).";
		return `The source of ${place(f)} is not in the page: it wasn't found (--source-dir, --path-map), or the function holds too little.`;
	}

	function draw() {
		const f = state.chosen, s = f ? find(f) : null;

		$("source-title").textContent = !f ? "Source" : s ? functionName({ function: text(s.function) }) : frameTitle(f);
		$("source").replaceChildren(!f ? el("p", { class: "faint" }, "Choose a line in the table, or a box in the call stacks.") : s ? listing(s) : el("p", { class: "faint" }, absent(f)));
		if (s && s.other)
			$("source").prepend(el("p", { class: "warn" }, "The file has changed since the program was built; lines may be others."));
		$("stacks").replaceChildren(...(f ? stacks(f).flat().filter(Boolean) : []));
		const row = document.querySelector("#source tr.chosen");

		if (row)
			$("source").scrollTop = Math.max(0, row.offsetTop - 120);
	}

	return { draw, find };
})();

/* ---- leaks */

const KIND_TEXTS = { lost: "nothing points to them", indirect: "only lost blocks point to them", possible: "only pointers to their middle", reachable: "still pointed to", unclassified: "no verdict" };

function leakCard(row) {
	const f = FRAMES[row.frame], kind = D.leaks.kinds[row.kind], held = row.size[2] - row.size[0], heldBlocks = row.size[3] - row.size[1];

	return el("article", { class: "card", "data-kind": kind, "data-bytes": row.size[0], "data-blocks": row.size[1] },
		el("p", null, el("b", { class: kind === "lost" ? "warn" : null }, kind), ` ${bytes(row.size[0])} in ${plural(row.size[1], "block")}`, heldBlocks > 0 ? `, holding ${bytes(held)} in ${plural(heldBlocks, "block")}` : "", " ",
			el("button", { type: "button", onclick: () => update({ tab: "memory" }) || selectFrame(f) }, frameTitle(f))),
		(row.parts || []).map(([size, blocks, index]) => el("p", { class: "faint" }, `holds ${bytes(size)} in ${plural(blocks, "block")} of ${index ? frameTitle(FRAMES[index]) : "other lines"}`)),
		row.part_count > (row.parts || []).length ? el("p", { class: "faint" }, `and blocks of ${plural(row.part_count - row.parts.length, "more line")}`) : null,
		row.stacks.map((stack, i) => el("details", { class: "stack", open: i === 0 && kind === "lost" }, el("summary", null, `${bytes(stack[0])} in ${plural(stack[1], "block")} by`), frameList(stack.slice(4)))),
		row.stack_count > row.stacks.length ? el("p", { class: "faint" }, plural(row.stack_count - row.stacks.length, "more call stack")) : null);
}

function leaksPane() {
	const l = D.leaks, sum = l.kinds.map((kind, i) => [kind, l.found[2 * i], l.found[2 * i + 1]]).filter((k) => k[2]);
	const suppressed = l.suppressed.reduce((n, size, i) => i % 2 ? n : n + size, 0);

	return [el("h2", null, l.classified ? leakVerdict() : `No verdict: ${l.why}`),
		el("table", null, el("thead", null, el("tr", null, el("th", null, "Kind"), el("th", { class: "n" }, "Bytes"), el("th", { class: "n" }, "Blocks"), el("th", null, "Meaning"))),
			el("tbody", null, sum.map(([kind, size, blocks]) => el("tr", { "data-kind": kind }, el("td", null, kind), el("td", { class: "n", "data-value": size }, bytes(size)), el("td", { class: "n" }, String(blocks)), el("td", { class: "faint" }, KIND_TEXTS[kind] || ""))))),
		suppressed ? el("p", { class: "faint" }, `${bytes(suppressed)} of the C library's and the like are left out by built-in suppressions.`) : null,
		l.rows.map(leakCard), l.row_count > l.rows.length ? el("p", { class: "faint" }, `${plural(l.row_count - l.rows.length, "smaller row")}: see 'mtracer leaks --all --limit 0'.`) : null];
}

/* ---- what is missing */

function missingPane() {
	const notes = D.trace.notes, losses = notes.filter((note) => note.loss), facts = notes.filter((note) => !note.loss), smaller = GROUPINGS.filter((by) => REST[by].count);
	const rest = D.tree.rest.length / (COUNT + 2), list = (items) => el("ul", null, items.map((item) => el("li", null, item)));
	const page = [rest ? `${D.tree.stacks} call stacks are too many for a page: those that hold least are added up as "(smaller)". The sums are whole.` : null,
		...smaller.map((by) => `By ${by}, ${plural(REST[by].count, "smaller row")} are added up.`), D.sources_left_out ? `The source of ${plural(D.sources_left_out, "function")} is left out.` : null,
		CURVE.leftOut ? `${plural(CURVE.leftOut, "small line")} of the curve are among the others.` : null].filter(Boolean);

	return [el("h2", { class: losses.length ? "warn" : "good" }, losses.length ? `${plural(losses.length, "thing")} missing from the trace` : "Nothing is missing from the trace"), losses.length ? list(losses.map((note) => clean(note.text))) : null,
		facts.length ? [el("h3", null, "How it was recorded"), list(facts.map((note) => clean(note.text)))] : null,
		(D.warnings || []).length ? [el("h3", null, "Symbols and sources"), list(D.warnings.map(clean))] : null,
		page.length ? [el("h3", null, "What this page adds up"), list(page)] : null];
}

/* ---- compare */

function diffRow(row) {
	const [old, now, values] = row, at = now.length ? now : old, f = { function: text(at[0]), file: text(at[1]), line: at[2], module: text(at[3]) };

	return { f, values, status: (i) => values[2 * i] === values[2 * i + 1] ? "same" : values[2 * i] === 0 ? "new" : values[2 * i + 1] === 0 ? "gone" : values[2 * i + 1] > values[2 * i] ? "grew" : "shrank",
		was: now.length && old.length && text(old[0]) !== f.function ? text(old[0]) : null };
}

function signed(n, measure) {
	return n > 0 ? `+${figure(n, measure)}` : n < 0 ? figure(n, measure) : "=";
}

function comparePane() {
	const d = D.diff, key = MEASURES[state.measure].key, at = Math.max(0, d.measures.indexOf(key)), i = d.measures.indexOf(key) < 0 ? d.measures.indexOf("at_peak_bytes") : at, measure = MEASURES.findIndex((m) => m.key === d.measures[i]);
	const totals = d.totals[0], rows = d.rows.map(diffRow).map((row) => ({ ...row, delta: row.values[2 * i + 1] - row.values[2 * i] })).filter((row) => row.delta && (!state.pattern || matches(row.f)) && (!state.module || row.f.module === state.module) && (!state.runtime || !isRuntime(row.f))).sort((a, b) => Math.abs(b.delta) - Math.abs(a.delta));
	const most = rows.length ? Math.abs(rows[0].delta) : 1;
	const peak = d.measures.indexOf("peak_bytes");
	const change = totals[2 * peak + 1] - totals[2 * peak];

	return [el("h2", null, change ? `The peak ${change > 0 ? "grew" : "shrank"} by ${bytes(Math.abs(change))}${totals[2 * peak] ? ` (${change > 0 ? "+" : "−"}${percent(Math.abs(change), totals[2 * peak])})` : ""}: ${bytes(totals[2 * peak])} → ${bytes(totals[2 * peak + 1])}` : `The peak is the same: ${bytes(totals[2 * peak])}`),
		el("p", { class: "code faint" }, `before: ${clean(d.command)}  (${clean(d.path)})`), d.peaks_comparable ? null : el("p", { class: "warn" }, "The program reset its peaks in only one of the runs: peaks are of different stretches."),
		el("div", { id: "both" }),
		el("table", { id: "changes" }, el("caption", { class: "unseen" }, "Changes by line"), el("thead", null, el("tr", null, ["Change", "Before", "After"].map((t) => el("th", { class: "n" }, t)), el("th", null, ""), el("th", null, "Line"), el("th", null, "Function"))),
			el("tbody", null, el("tr", { class: "sum" }, el("td", { class: "n" }, signed(totals[2 * i + 1] - totals[2 * i], measure)), el("td", { class: "n" }, figure(totals[2 * i], measure)), el("td", { class: "n" }, figure(totals[2 * i + 1], measure)), el("td", null, ""), el("td", null, `all, ${MEASURES[measure].title.toLowerCase()}`), el("td", null, "")),
				rows.map((row) => {
					const td = el("td", { class: `n lead ${row.delta > 0 ? "up" : "down"}`, "data-value": row.delta }, signed(row.delta, measure)), bar = el("span", { class: "bar" });

					bar.style.width = `${100 * Math.abs(row.delta) / most}%`;
					td.append(bar);
					return el("tr", null, td, el("td", { class: "n", "data-value": row.values[2 * i] }, row.values[2 * i] ? figure(row.values[2 * i], measure) : ""), el("td", { class: "n", "data-value": row.values[2 * i + 1] }, row.values[2 * i + 1] ? figure(row.values[2 * i + 1], measure) : ""),
						el("td", { class: "faint" }, row.status(i)), el("td", { class: "where" }, place(row.f) || shortPath(row.f.module || "")), el("td", { class: "name" }, functionName(row.f) + (row.was ? ` (was ${clean(row.was)})` : "")));
				}))),
		d.row_count > d.rows.length ? el("p", { class: "faint" }, `${d.row_count - d.rows.length} smaller changes: see 'mtracer diff'.`) : null];
}
