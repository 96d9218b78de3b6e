/** Asks for each key once, and gives everybody who asks for it the same answer. After an error it asks again. */
export function once<Question, Answer>(
  keyOf: (question: Question) => unknown,
  ask: (question: Question) => Promise<Answer>,
): (question: Question) => Promise<Answer> {
  const asked = new Map<unknown, Promise<Answer>>();
  return (question) => {
    const key = keyOf(question);
    const known = asked.get(key);
    if (known !== undefined) return known;
    const answer = ask(question);
    asked.set(key, answer);
    answer.catch(() => asked.delete(key));
    return answer;
  };
}
