import { readFileSync } from "node:fs";
import { compileDefinition } from "@heddle/language";
import { instance } from "@viz-js/viz";
import { describe, expect, it } from "vitest";
import { draw, renderDot, renderMermaid, renderText } from "./index.ts";

/** The drawings beside a definition are what its drawings are to be: `vitest -u` writes them anew. */
const testdata = new URL("../testdata/", import.meta.url);

function diagramOf(name: string) {
  const { plan, findings } = compileDefinition(readFileSync(new URL(`${name}.yaml`, testdata), "utf8"));
  if (plan === undefined) throw new Error(JSON.stringify(findings));
  return draw(plan);
}

describe.each(["greeting", "orders", "pages", "player"])("the drawing of %s", (name) => {
  it.each([
    ["text", "txt", renderText],
    ["Mermaid", "mermaid", renderMermaid],
    ["DOT", "dot", renderDot],
  ])("is as agreed in %s", async (_format, extension, render) => {
    await expect(render(diagramOf(name))).toMatchFileSnapshot(new URL(`${name}.${extension}`, testdata).pathname);
  });

  it("is one that Graphviz draws without a complaint, with every node and edge in it", async () => {
    const diagram = diagramOf(name);
    const result = (await instance()).render(renderDot(diagram), { format: "json" });
    expect(result).toMatchObject({ status: "success", errors: [] });
    const drawn = JSON.parse(result.output ?? "") as { objects: { name: string }[]; edges: object[] };
    expect(drawn.edges).toHaveLength(diagram.edges.length);
    const names = new Set(drawn.objects.map((object) => object.name.replace(/^cluster_/, "")));
    for (const { from, to } of diagram.edges) expect([...names]).toEqual(expect.arrayContaining([from, to]));
  });
});

it("has an end inside of a box for an edge between the box and what is in it", () => {
  const dot = renderDot(diagramOf("player"));
  // A transition of `on` to a state inside, one of `quiet` to the state around it, one of `sound` to itself.
  expect(dot).toContain('"on/anchor" -> "bright" [label="reset"]');
  expect(dot).toContain('"quiet" -> "sound/anchor" [label="louder"]');
  expect(dot).toContain('"sound/anchor" -> "sound/anchor" [label="again"]');
  expect(dot).toMatch(/-> "off" \[label="power" ltail="cluster_on"\]/);
});
