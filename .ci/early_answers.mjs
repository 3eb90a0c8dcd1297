// Checks that Node's fetch sees a response that is sent before its body was read.
const base = process.argv[2];
const expected = { "/mcp": 413, "/api/get_registry_summary": 413, "/api/nothing": 404, "/health": 405 };
let seen = 0;
for (const [path, status] of Object.entries(expected)) {
  for (const megabytes of [1, 3, 6, 10]) {
    const body = " ".repeat(megabytes * 1024 * 1024 + 1);
    for (let time = 0; time < 10; time++) {
      const response = await fetch(base + path, { method: "POST", headers: { "content-type": "application/json" }, body });
      await response.text();
      if (response.status !== status) throw new Error(`${path}: ${response.status}, not ${status}`);
      seen += 1;
    }
  }
}
console.log(`fetch: ${seen} answers`);
