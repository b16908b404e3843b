/** A value that is there, or will be. What has nothing to wait for stays synchronous. */
export type Eventually<T> = T | Promise<T>;

export const isPromise = <T>(value: Eventually<T>): value is Promise<T> =>
  typeof value === "object" && value !== null && typeof (value as Promise<T>).then === "function";

/** Goes on with a value now if it is there, later if it is not. */
export const andThen = <T, U>(value: Eventually<T>, next: (value: T) => Eventually<U>): Eventually<U> =>
  isPromise(value) ? value.then(next) : next(value);

/** All of them: at once if none has to be waited for. */
export const together = <const T extends readonly unknown[]>(
  ...values: { [K in keyof T]: Eventually<T[K]> }
): Eventually<T> =>
  values.some(isPromise) ? (Promise.all(values) as Promise<unknown> as Promise<T>) : (values as unknown as T);
