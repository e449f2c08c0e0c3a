// Why a request was not answered with a result.

/** The server answered that it will not. */
export class Refused extends Error {
  constructor(readonly method: string, readonly reason: string) {
    super(`${method}: ${reason}`);
  }
}

/** No answer, after all tries. */
export class TimedOut extends Error {
  constructor(readonly method: string) {
    super(`${method}: no answer`);
  }
}

/** There is no connection, or it went before the answer came. */
export class Disconnected extends Error {
  constructor(readonly method: string) {
    super(`${method}: not connected`);
  }
}
