// Runs one tool of the system to its end and gives its standard output; a failure is thrown with
// the tool's own words. Long-lived children belong to process.ts.

/** Runs `program`; gives its standard output. */
export async function run(
  program: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string>; input?: string } = {},
): Promise<string> {
  const { input, ...rest } = options;
  const child = new Deno.Command(program, {
    ...rest,
    args,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const fed = input === undefined
    ? Promise.resolve()
    : new Response(input).body!.pipeTo(child.stdin).catch(() => {});
  const [, output] = await Promise.all([fed, child.output()]);
  const text = new TextDecoder();
  if (!output.success) {
    throw new Error(
      `${program} ${args.join(" ")}: exit code ${output.code}: ${text.decode(output.stderr)}`,
    );
  }
  return text.decode(output.stdout);
}
