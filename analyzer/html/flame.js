/* SPDX-License-Identifier: MIT */
/* flame.js - the call stacks as boxes: callees below their callers, or callers below what allocates. */

const flame = (() => {
	const ROW = 19, LEAST = 0.6, MOST = 4000, CHARACTER = 6.6;
	let built = null, builtFor = "", boxes = [], width = 0;

	/* ---- the tree that is drawn: calls of the same function are one box, whatever their lines */

	function measureShown() {
		return MEASURES[state.measure].alone ? AT_PEAK : state.measure;
	}

	/* The frames of an end as the view has them, outermost first; -1: too small to be told. */
	function pathOf(node) {
		const stack = stackOf(node).filter((index) => index < 0 || !state.runtime || !isRuntime(FRAMES[index]));

		return state.view === "callers" ? stack : stack.reverse();
	}

	function kept(node) {
		const owner = ownerOf(node);

		return !state.module || (owner && (owner.module || "") === state.module);
	}

	function child(box, index) {
		const f = index < 0 ? null : FRAMES[index], key = f ? `${f.function}\n${f.module}` : "";
		let next = box.children.get(key);

		if (!next) {
			next = { key, frame: index, name: f ? functionName(f) || "?" : "(smaller)", value: 0, stacks: 0, children: new Map(), parent: box, depth: box.depth + 1, places: new Map() };
			box.children.set(key, next);
		}
		return next;
	}

	function build() {
		const measure = measureShown();
		const root = { key: "", frame: -1, name: programName(), value: 0, stacks: 0, children: new Map(), parent: null, depth: 0, places: new Map() };

		for (const node of TREE.ends) {
			const value = TREE.own[node * COUNT + measure];

			if (value <= 0 || !kept(node))
				continue;
			let box = root;

			for (const index of [null, ...pathOf(node)]) {
				if (index !== null)
					box = child(box, index);
				box.value += value;
				box.stacks += TREE.stacks[node];
				if (index >= 0 && index !== null)
					box.places.set(index, (box.places.get(index) || 0) + value);
			}
		}
		return root;
	}

	function tree() {
		const wanted = [measureShown(), state.view, state.module, state.runtime].join(" ");

		if (wanted !== builtFor)
			[built, builtFor] = [build(), wanted];
		return built;
	}

	/* ---- which box: by the functions from the root on, in the fragment as well */

	function keyPath(box) {
		const path = [];

		for (; box.parent; box = box.parent)
			path.push(hash(box.key));
		return path.reverse();
	}

	function hash(key) {
		let h = 2166136261;

		for (const c of key)
			h = Math.imul(h ^ c.codePointAt(0), 16777619) >>> 0;
		return h.toString(36);
	}

	function zoomed() {
		let box = tree();

		for (const key of state.zoom ? state.zoom.split(".") : []) {
			const next = [...box.children.values()].find((c) => hash(c.key) === key);

			if (!next)
				break;
			box = next;
		}
		return box;
	}

	/* ---- boxes */

	function colour(box) {
		if (box.frame < 0)
			return "f8";
		const index = MODULES.indexOf(FRAMES[box.frame].module);

		return index < 0 || index > 7 ? "f8" : `f${index}`;
	}

	function layOut(root) {
		const placed = [], scale = width / Math.max(root.value, 1), above = [];

		for (let box = root.parent; box; box = box.parent)
			above.unshift(box);
		above.forEach((box) => placed.push({ box, x: 0, w: width, above: true }));
		const queue = [{ box: root, x: 0, w: width }];

		while (queue.length && placed.length < MOST) {
			const item = queue.shift();
			let x = item.x;

			placed.push(item);
			for (const next of [...item.box.children.values()].sort((a, b) => b.value - a.value)) {
				const w = next.value * scale;

				if (w < LEAST)
					break;
				queue.push({ box: next, x, w });
				x += w;
			}
		}
		return placed;
	}

	/* Neighbours are told apart by their shade. */
	function shade(box) {
		return box.frame < 0 ? null : [1, 0.86, 0.74][parseInt(hash(box.key), 36) % 3];
	}

	function label(item) {
		const room = Math.floor((item.w - 8) / CHARACTER), size = figure(item.box.value, measureShown());
		let name = item.box.name;

		if (room < 3)
			return "";
		if (name.length > room)
			name = name.replace(/<.*>/, "<…>");
		if (name.length > room)
			return `${name.slice(0, room - 1)}…`;
		return name.length + size.length + 2 <= room ? `${name}  ${size}` : name;
	}

	function describe(box) {
		const measure = measureShown(), whole = tree().value, places = [...box.places].sort((a, b) => b[1] - a[1]);
		const lines = [box.name, `${figure(box.value, measure)} ${MEASURES[measure].title.toLowerCase()}, ${percent(box.value, whole)}; ${plural(box.stacks, "call stack")}`];

		for (const [index, value] of places.slice(0, 3))
			if (place(FRAMES[index]))
				lines.push(`${place(FRAMES[index])}${places.length > 1 ? `  ${figure(value, measure)}` : ""}`);
		if (box.frame >= 0 && FRAMES[box.frame].module)
			lines.push(clean(FRAMES[box.frame].module));
		if (box.frame < 0 && box.parent)
			lines.push("what is too small for boxes of its own");
		return lines.join("\n");
	}

	function element(item, i) {
		const { box } = item, hit = state.pattern && box.frame >= 0 && matchesFrame(FRAMES[box.frame]);
		const name = label(item);

		return svg("g", { class: [hit ? "hit" : "", item.above ? "above" : ""].join(" ").trim() || null, role: "treeitem", "aria-level": box.depth + 1,
			"aria-label": describe(box).replace(/\n/g, ", "), tabindex: i === 0 ? 0 : -1, "data-value": box.value },
		svg("rect", { class: colour(box), "fill-opacity": shade(box), x: item.x, y: box.depth * ROW, width: Math.max(item.w, 1), height: ROW - 1, rx: 2 }),
		name ? svg("text", { x: item.x + 4, y: box.depth * ROW + 13 }, name) : null);
	}

	/* The share of what matches, the outermost boxes counted alone. */
	function found() {
		let sum = 0, count = 0;
		const queue = [tree()];

		while (queue.length) {
			const box = queue.pop();

			if (box.frame >= 0 && matchesFrame(FRAMES[box.frame])) {
				sum += box.value;
				count++;
			} else {
				queue.push(...box.children.values());
			}
		}
		return { sum, count, whole: tree().value };
	}

	function zoomTo(box) {
		if (box.frame < 0 && box.parent)
			return;
		update({ zoom: keyPath(box).join(".") });
	}

	function showSource(box) {
		const best = [...box.places].sort((a, b) => b[1] - a[1])[0];

		if (best)
			selectFrame(FRAMES[best[0]]);
	}

	function focusBox(box) {
		const i = boxes.findIndex((item) => item.box === box);

		if (i < 0)
			return false;
		const elements = document.querySelectorAll("#flame g");

		elements.forEach((g) => g.setAttribute("tabindex", -1));
		elements[i].setAttribute("tabindex", 0);
		elements[i].focus();
		$("box").textContent = describe(box).replace(/\n/g, " · ");
		return true;
	}

	function itemOf(event) {
		const g = event.target.closest("g");

		return g ? boxes[[...g.parentNode.children].indexOf(g)] : null;
	}

	const handlers = {
		onclick(event) {
			const item = itemOf(event);

			if (!item)
				return;
			tip.hide();
			showSource(item.box);
			zoomTo(item.box);
			focusBox(item.box);
		},
		onpointermove(event) {
			const item = itemOf(event);

			if (!item)
				return tip.hide();
			tip.show(event, describe(item.box));
			$("box").textContent = describe(item.box).replace(/\n/g, " · ");
		},
		onpointerleave() {
			tip.hide();
		},
		onkeydown(event) {
			const item = itemOf(event);

			if (!item)
				return;
			const { box } = item, beside = box.parent ? [...box.parent.children.values()].sort((a, b) => b.value - a.value) : [box];
			const target = { ArrowUp: box.parent, ArrowDown: [...box.children.values()].sort((a, b) => b.value - a.value)[0],
				ArrowLeft: beside[beside.indexOf(box) - 1], ArrowRight: beside[beside.indexOf(box) + 1] }[event.key];

			if (event.key === "Enter" || event.key === " ") {
				showSource(box);
				zoomTo(box);
				focusBox(box);
			} else if (event.key === "Escape") {
				update({ zoom: "" });
				focusBox(tree());
			} else if (event.key.startsWith("Arrow")) {
				if (target)
					focusBox(target);
			} else {
				return;
			}
			event.preventDefault();
			event.stopPropagation();
		},
	};

	function note() {
		if (MEASURES[state.measure].alone)
			return "own peaks don't add up: boxes are by what was held at the program's peak";
		if (state.t0 !== null)
			return "of the whole run: the curve's points hold lines, not call stacks";
		return "";
	}

	function draw() {
		const pane = $("flame"), root = zoomed();

		width = Math.max(300, pane.clientWidth - 2);
		boxes = layOut(root);
		const deepest = boxes.reduce((most, item) => Math.max(most, item.box.depth), 0), height = (deepest + 1) * ROW;

		$("flame-note").textContent = note();
		$("top-down").setAttribute("aria-pressed", state.view !== "callers");
		$("bottom-up").setAttribute("aria-pressed", state.view === "callers");
		$("unzoom").hidden = !root.parent;
		$("box").textContent = "";
		if (!tree().value) {
			pane.replaceChildren(el("p", { class: "faint" }, `Nothing to show: ${MEASURES[measureShown()].title.toLowerCase()} is 0${state.module ? " in this module" : ""}.`));
			return;
		}
		pane.replaceChildren(svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "tree", "aria-label": `Call stacks by ${MEASURES[measureShown()].title}: arrows move, Enter zooms, Escape zooms out`, ...handlers },
			boxes.map(element)));
	}

	return { draw, found, root: tree, zoomed, boxes: () => boxes };
})();
