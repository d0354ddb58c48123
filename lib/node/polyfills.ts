/**
 * What libp2p expects of the runtime and Node 20 does not have. Imported before anything of
 * libp2p's.
 */
if (typeof Promise.withResolvers !== 'function')
  Promise.withResolvers = function withResolvers<T>(): PromiseWithResolvers<T> {
    let resolve!: PromiseWithResolvers<T>['resolve'];
    let reject!: PromiseWithResolvers<T>['reject'];
    const promise = new Promise<T>((accept, refuse) => {
      resolve = accept;
      reject = refuse;
    });
    return { promise, resolve, reject };
  };
