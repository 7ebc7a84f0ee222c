# SPDX-License-Identifier: MIT
"""workloads - input for real programs, the same in every run; `scale` 1 is for a run of a quarter of a second or so.

Shared by the tests on real programs and by the benchmark.
"""
import json
import random
import shutil
import subprocess

PYTHON_SCRIPT = """
import json, sys
rows = [{"id": i, "name": f"name {i}", "tags": [str(i % k) for k in range(1, 8)]}
        for i in range(8000)]
for turn in range(TURNS):
    text = json.dumps(rows)
    back = json.loads(text)
    words = {}
    for row in back:
        for tag in row["tags"]:
            words.setdefault(tag, []).append(row["id"])
    names = sorted((row["name"].upper() for row in back), key=lambda name: name[::-1])
print(len(text), len(words), names[0])
"""

PERL_SCRIPT = r"""
my %words; my $sum = 0;
for my $i (1 .. LINES) {
    my $line = join(" ", map { "w" . ($i * $_ % 977) } 1 .. 9);
    $words{$_}++ for split / /, $line;
    push @{$lists[$i % 100]}, { id => $i, text => $line };
    $lists[$i % 100] = [] if @{$lists[$i % 100]} > 50;
    $sum += length($line =~ s/w(\d)/<$1>/gr);
}
print scalar(keys %words), " $sum\n";
"""

SQL = """
create table t(id integer primary key, name text, value real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < {0})
  insert into t select i, 'name ' || (i * 7919 % 10007), i * 0.5 from n;
create index t_name on t(name);
select count(*), sum(length(name)) from t where name > 'name 5';
select group_concat(name, ';') from (select name, count(*) c from t group by name order by c, name
  limit 500);
update t set name = upper(name) || id where id % 3 = 0;
select hex(quote(replace(group_concat(name), 'N', 'nn'))) is not null from t;
select count(*) from t a join t b on a.name = b.name where a.id < 3000;
"""


def write_python(directory, scale):
    (directory / "work.py").write_text(PYTHON_SCRIPT.replace("TURNS", str(max(1, int(8 * scale)))))


def write_perl(directory, scale):
    (directory / "work.pl").write_text(PERL_SCRIPT.replace("LINES", str(max(1000, int(40000 * scale)))))


def write_sql(directory, scale):
    (directory / "work.sql").write_text(SQL.format(max(1000, int(60000 * scale))))


def write_cxx(directory, scale):
    """Containers and strings of many types, so that a compiler works on the library's headers."""
    text = ["#include <map>", "#include <string>", "#include <vector>"]
    for i in range(max(1, int(12 * scale))):
        text.append(f"""
struct Key{i} {{ int a; std::string b; bool operator<(const Key{i} &o) const {{ return a < o.a; }} }};
int function_{i}(int count)
{{
    std::map<Key{i}, std::vector<Key{i}>> map;
    for (int i = 0; i < count; i++)
        map[Key{i}{{i, std::to_string(i)}}].push_back(Key{i}{{count, "text"}});
    return (int)map.size();
}}""")
    (directory / "work.cc").write_text("\n".join(text))


def write_c(directory, scale):
    """Functions that give an optimizer something to do."""
    dice = random.Random(1)
    text = ["typedef unsigned long size_t;", "void *memcpy(void *, const void *, size_t);",
            "struct item { int key; double weight; struct item *next; };"]
    for i in range(max(10, int(260 * scale))):
        a, b, c = (dice.randrange(1, 1000) for _ in range(3))
        text.append(f"""
static int helper_{i}(int x, int y) {{ return (x ^ {a}) * y + {b}; }}
double function_{i}(struct item *list, int *array, int count)
{{
    double sum = 0;
    for (int i = 0; i < count; i++) {{
        switch (array[i] % 7) {{
        case 0: sum += helper_{i}(i, {c}); break;
        case 1: sum -= array[i] / (i + 1); break;
        case 2: array[i] = helper_{i}(array[i], i); break;
        default: for (struct item *p = list; p; p = p->next) sum += p->weight * p->key;
        }}
    }}
    return sum;
}}""")
    (directory / "work.c").write_text("\n".join(text))


def write_constraints(directory, scale):
    """Sums, products and alternatives of bounded integers, for a solver."""
    dice = random.Random(4)
    names = [f"x{i}" for i in range(max(10, int(55 * scale)))]
    text = ["(set-logic QF_LIA)"]
    for name in names:
        text.append(f"(declare-const {name} Int) (assert (<= 0 {name} 100))")
    for _ in range(len(names) * 3 // 2):
        terms = " ".join(f"(* {dice.choice([-7, -3, -2, 2, 3, 5, 9])} {name})" for name in dice.sample(names, 6))
        text.append(f"(assert (<= (+ {terms}) {dice.randrange(20, 200)}))")
    for _ in range(len(names) * 3):
        a, b, c = dice.sample(names, 3)
        text.append(f"(assert (or (> {a} (+ {b} {dice.randrange(1, 20)})) (= (+ {b} {c}) {dice.randrange(30, 150)}) "
                    f"(< {c} {dice.randrange(3, 30)})))")
    text.append("(check-sat)")
    (directory / "work.smt2").write_text("\n".join(text))


def write_javascript(directory, scale):
    """Objects made into text and back: generated code, and much in C++ below it."""
    (directory / "work.js").write_text(f"""
let sum = 0;
for (let round = 0; round < {max(3, int(30 * scale))}; round++) {{
    const objects = [];
    for (let i = 0; i < 3000; i++)
        objects.push({{id: i, name: "n" + i, values: [i, 2 * i, {{x: i}}]}});
    const text = JSON.stringify(objects);
    sum += JSON.parse(text).length + text.length;
}}
console.log(sum);
""")


def write_json(directory, scale):
    rows = [{"id": i, "name": f"name {i % 977}", "tags": [str(i % k) for k in range(1, 7)], "value": i * 0.5}
            for i in range(max(500, int(15000 * scale)))]
    (directory / "work.json").write_text(json.dumps(rows))


def write_xml(directory, scale):
    dice = random.Random(2)
    with open(directory / "work.xml", "w", encoding="ascii") as file:
        file.write("<?xml version='1.0'?>\n<library>\n")
        for i in range(max(500, int(25000 * scale))):
            file.write(f"<book id='b{i}' year='{dice.randrange(1900, 2020)}'><title>Title &amp; "
                       f"{dice.random()}</title><author><first>A{i % 97}</first><last>B{i % 89}"
                       f"</last></author><p>{'text ' * dice.randrange(20)}</p></book>\n")
        file.write("</library>\n")


def write_git(directory, scale):
    """A repository whose commits each change some of its files."""
    if (directory / "repo").exists():
        shutil.rmtree(directory / "repo")
    git = ["git", "-C", directory / "repo"]
    subprocess.run(["git", "init", "-q", "-b", "main", directory / "repo"], check=True)
    dice = random.Random(3)
    stream, files = [], {}
    for i in range(max(20, int(600 * scale))):
        message = f"change {i}"
        stream.append(f"commit refs/heads/main\ncommitter A <a@example.org> {1600000000 + i * 60} "
                      f"+0000\ndata {len(message)}\n{message}")
        for _ in range(4):
            name = f"d{dice.randrange(10)}/f{dice.randrange(12)}"
            lines = files.setdefault(name, [str(n) for n in range(200)])
            lines[dice.randrange(200)] = f"line of commit {i}"
            content = "\n".join(lines)
            stream.append(f"M 100644 inline {name}\ndata {len(content)}\n{content}")
    subprocess.run([*git, "fast-import", "--quiet"], input="\n".join(stream).encode(), check=True)


def multiarch():
    """The directory of headers that gcc tells its compilers by an option."""
    return subprocess.run(["gcc", "-print-multiarch"], capture_output=True, check=True,
                          text=True).stdout.strip()


def cc1(name="cc1"):
    return subprocess.run(["gcc", f"-print-prog-name={name}"], capture_output=True, check=True,
                          text=True).stdout.strip()
