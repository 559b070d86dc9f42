// What both roles hand to Node, written once so that none is made per connection.

export function ignore(): void {}
