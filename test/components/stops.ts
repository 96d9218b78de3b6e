/**
 * Stands in for components/shared/stopProgram.ts, and keeps what would end the program:
 *
 *     jest.mock("../../components/shared/stopProgram", () => jest.requireActual<object>("./stops"));
 */
export const stops: string[] = [];

export function stopProgram(message: string): Promise<never> {
  stops.push(message);
  return new Promise(() => undefined);
}

export const orStop = <T>(promise: Promise<T>): Promise<T> =>
  promise.catch((error: unknown) => stopProgram((error as Error).message));
