// Functions that both roles hand to Node, written once so that none is made per connection.

export function flushLater(connection: { flushDue(): void }): void {
  connection.flushDue();
}

export function ignore(): void {}
