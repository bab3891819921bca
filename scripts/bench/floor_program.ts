// The floor of the benchmark: a program that does nothing, made by the same compiler with the same
// flags as ours. It ends at once, or waits until it is ended.

if (Deno.args[0] === "wait") await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
