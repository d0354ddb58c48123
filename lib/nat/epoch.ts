/**
 * The clock that a gateway shows in NAT-PMP and PCP: seconds since its tables were empty. Where it does
 * not run on as time does here, the gateway has started anew and its mappings are gone.
 */
import type { Clock } from '../lifecycle.ts';
import type { MappedPort, MapRequest } from './gateway-client.ts';

/** What delays and coarse clocks may make of it, in seconds and as a part (RFC 6887, 8.5). */
const SLACK = 2;
const DRIFT = 1 / 16;

/** The mappings that a gateway has granted and not forgotten since, as far as its clock shows. */
export class EpochLedger {
  readonly #clock: Clock;
  readonly #mapped = new Map<string, MapRequest>();
  #last: { readonly here: number; readonly there: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes note of what the gateway's clock shows; to be told of every answer, before it is used. */
  note(there: number): void {
    const here = this.#clock.monotonic() / 1_000;
    if (this.#last !== undefined && isBroken(here - this.#last.here, there - this.#last.there))
      this.#mapped.clear();
    this.#last = { here, there };
  }

  /** @param granted with the lifetime that was asked for */
  add(granted: MapRequest): void {
    this.#mapped.set(keyOf(granted), granted);
  }

  /** Forgets what a port here was mapped to. */
  remove(mapped: MappedPort): void {
    this.#mapped.delete(keyOf(mapped));
  }

  has(mapped: MappedPort): boolean {
    return this.#mapped.get(keyOf(mapped))?.externalPort === mapped.externalPort;
  }

  /** Any that is still there. */
  get one(): MapRequest | undefined {
    return this.#mapped.values().next().value;
  }
}

/** Whether the gateway's clock was set back or runs otherwise than ours, in seconds. */
function isBroken(passedHere: number, passedThere: number): boolean {
  return (
    passedHere + SLACK < passedThere * (1 - DRIFT) || passedThere + SLACK < passedHere * (1 - DRIFT)
  );
}

function keyOf({ transport, internalPort }: MappedPort): string {
  return `${transport} ${internalPort}`;
}
