export function noticesOf(inputs: readonly string[]): Promise<string>;
