/** Words of commands that people are to paste into a shell. */

/**
 * Text as one word of a command, whatever is in it; names and trust domains come from clusters. A leading `~/` is still
 * the home folder, since kubeconfig files are given so.
 */
export function word(text: string): string {
  if (/^(~\/)?[\w@%+:,./-][\w@%+=:,./~-]*$/.test(text)) return text;
  const home = text.startsWith("~/") ? "~/" : "";
  return `${home}'${text.slice(home.length).replaceAll("'", "'\\''")}'`;
}
