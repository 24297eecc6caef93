/** @module carts */
import type { Item } from "./item";
import fs, { readFile as read } from "node:fs";
import * as money from "../money/index.js";
import "./polyfill";
import legacy = require("./legacy");
export { round, ceil as up } from "./rounding";
export * from "./types";

/** What a cart may hold. */
export const MAX_ITEMS = 100;
const table: Record<string, number> = {
  one: 1,
};
let opened = 0;

/**
 * A cart of items.
 * @template T what it holds
 */
@Injectable({ scope: "request" })
export class Cart<T extends Item = Item> extends Base implements Priced {
  private items: T[] = [];
  static readonly kind = "cart";
  readonly #secret = 1;

  constructor(private readonly limit: number, public name?: string) {
    super();
  }

  /** Adds up the prices. */
  @Memoize()
  async total(round: (x: number) => number, { tax = 0 }: Options, ...rest: T[]): Promise<number> {
    let sum = 0;
    for (const item of this.items) {
      if (item.price > this.limit) {
        throw new RangeError("too much");
      }
      sum += await item.cost(tax);
    }
    opened++;
    this.count += 1;
    rest.forEach((one) => this.add(one));
    const local = { sum };
    local.sum = 2;
    try {
      read("x").then((text) => text.trim()).catch(() => null);
    } catch (error) {
      console.log(error as Error);
    }
    switch (rest.length) {
      case 0:
        return 0;
      default:
        return sum > 0 ? round(sum) : money.zero<number>();
    }
  }

  private hidden(): void {}
  #secrecy() {
    return this.#secret;
  }
  handle = (event: Event): boolean => event.isTrusted;
  get size(): number {
    return this.items.length;
  }
}

export interface Priced {
  price: number;
  /** In cents. */
  cost(tax?: number): Promise<number>;
}

export abstract class Shape {
  abstract area(): number;
  protected scale(by: number): void;
  protected scale(by: any): void {}
}

export type Id = string | number;
export enum Colour {
  Red = "red",
  Green = "green",
}
enum Hidden {}

export function open(path: string): Cart;
export function open(path: any): Cart {
  function* inner() {
    yield 1;
  }
  return new Cart(inner);
}
export const sum = (a: number, b = 0): number => a + b;
const later = async () => {
  await Promise.resolve();
};
export default later;

declare global {
  interface Window {
    cart: Cart;
  }
}
declare function legacyTotal(cart: Cart): number;
export namespace Prices {
  export const low = 1;
  export function of(item: Item): number {
    return low;
  }
}
