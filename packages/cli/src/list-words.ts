/** Names in a sentence that must stay short: `web, db and 3 more`. */
export function listWords(words: readonly string[], atMost = 3): string {
  if (words.length <= atMost) return words.join(", ");
  return `${words.slice(0, atMost).join(", ")} and ${words.length - atMost} more`;
}
