// Values of one kind behind their count. How many there can be is known by the bytes that are left,
// before the first one is read.

import { type Codec, type NumberCodec, u32 } from "./codec.ts";
import { bytesText } from "./reader.ts";

export function list<T>(
  type: string,
  item: Codec<T>,
  count: NumberCodec = u32,
): Codec<readonly T[]> {
  if (item.sizeMin === 0) throw new TypeError(`${type}: an item could take no bytes`);
  return {
    type,
    sizeMin: count.sizeMin,
    decode(reader) {
      const at = reader.offset;
      const length = count.decode(reader);
      if (length * item.sizeMin > reader.left) {
        reader.fail(
          `${length} times ${item.type} announced, ${bytesText(reader.left)} left`,
          at,
        );
      }
      const items: T[] = [];
      for (let index = 0; index < length; index++) {
        reader.enter(String(index));
        items.push(item.decode(reader));
        reader.leave();
      }
      return items;
    },
    encode(writer, items) {
      count.encode(writer, items.length);
      for (const [index, value] of items.entries()) {
        writer.enter(String(index));
        item.encode(writer, value);
        writer.leave();
      }
    },
    show: (items) => ({ kind: "list", type, items: items.map((value) => item.show(value)) }),
  };
}
