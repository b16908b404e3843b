import { expect, test } from "vitest";
import { addressKey, isLoopback, plainAddress } from "./address.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"],
  ["2001:db8:1:3::1", "2001:db8:1:3::/64"],
  ["2001:DB8:0001:0002::", "2001:db8:1:2::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["", ""],
  ["not an address", "not an address"],
])("RFC 6120 §13.12: %s counts as %s", (address, key) => {
  expect(addressKey(address)).toBe(key);
});

test.each([
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["192.0.2.7", false],
  ["10.0.0.1", false],
  ["127.0.0.256", false],
  ["127.0.0.1.", false],
  ["127.0.0.1.1", false],
  ["127.0.0.1.example", false],
  ["1127.0.0.1", false],
  ["", false],
  ["localhost", false],
])("%s runs on this machine: %s", (address, is) => {
  expect(isLoopback(address)).toBe(is);
});

test.each([
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::FFFF:192.0.2.7", "192.0.2.7"],
  ["192.0.2.7", "192.0.2.7"],
  ["2001:db8::ffff:1.2.3.4", "2001:db8::ffff:1.2.3.4"],
  ["::1", "::1"],
  ["", ""],
])("%s is written %s", (address, plain) => {
  expect(plainAddress(address)).toBe(plain);
});
