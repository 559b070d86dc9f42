// Who of those whose streams were lost is still counted as there, and for how long: a grace time for each, a longer
// one for who flaps, and no removal at all while most are gone at once, which means that the fault is on our side.

export interface MembershipPolicy {
  /** How long one stays after it was lost, in ms. */
  readonly grace: number;
  /** Losses within `flapWindow` ms that are still taken for plain ones; each further one doubles the grace. */
  readonly flapLosses: number;
  readonly flapWindow: number;
  /** What the grace grows to, in ms. */
  readonly mostGrace: number;
  /** Losses within so many ms count as one event: a cut network is noticed stream by stream. */
  readonly massWindow: number;
  /** Fewer are never a mass loss; more than half of all, and at least so many, are one. */
  readonly massLeast: number;
  /** How long nobody is removed then, in ms. */
  readonly massHold: number;
  /** Once half of all are there again: how long the others still have, in ms. */
  readonly massReturn: number;
}

/**
 * `massWindow`: an idle stream is pinged after 10 s and dead 5 s later. `massReturn`: thousands that come back at once
 * need longer than the 5 s that each waits at most.
 */
export const MEMBERSHIP: Omit<MembershipPolicy, 'grace'> = {
  flapLosses: 5,
  flapWindow: 60_000,
  mostGrace: 60_000,
  massWindow: 20_000,
  massLeast: 3,
  massHold: 300_000,
  massReturn: 30_000,
};

export interface MembershipChange {
  readonly id: string;
  /**
   * removed: it is not there any more. restored: it is again, as part of a mass loss. forgotten: it is not there and
   * will not be restored.
   */
  readonly kind: 'removed' | 'restored' | 'forgotten';
}

interface Member {
  /** null: it is there. */
  lostAt: number | null;
  /** When it is to be removed. */
  due: number;
  /** Times of its losses within the flap window, oldest first. */
  losses: readonly number[];
}

/** Every time is in ms of one clock, and none is before the one that was passed in last. */
export class Membership {
  readonly #policy: MembershipPolicy;
  readonly #members = new Map<string, Member>();
  /** Lost and still counted as there. */
  readonly #lost = new Set<string>();
  /** Removed a moment ago: they may yet turn out to be part of a mass loss. */
  readonly #removed = new Set<string>();
  #heldSince: number | null = null;
  /** No member is due before; kept so that a loss costs the same among ten thousand others. */
  #soonest = Number.POSITIVE_INFINITY;

  constructor(policy: MembershipPolicy) {
    this.#policy = policy;
  }

  /** How many are lost while nobody is removed; 0: there is no mass loss. */
  get held(): number {
    return this.#heldSince === null ? 0 : this.#lost.size;
  }

  /** Those that are lost and still counted as there. */
  lost(): Iterable<string> {
    return this.#lost;
  }

  /** Counted as there, and it is not. */
  isLost(id: string): boolean {
    return this.#lost.has(id);
  }

  /** It is there, again or for the first time. */
  join(id: string, now: number): void {
    const member = this.#members.get(id);
    if (member === undefined) this.#members.set(id, { lostAt: null, due: 0, losses: [] });
    else member.lostAt = null;
    this.#lost.delete(id);
    this.#removed.delete(id);
    if (this.#heldSince !== null && !this.#isMass()) this.#release(now);
  }

  /** One from an earlier time: as if it had been lost just now, with `grace` ms to come back. */
  expect(id: string, now: number, grace: number): void {
    if (this.#members.has(id)) return;
    this.#members.set(id, { lostAt: now, due: now + grace, losses: [] });
    this.#lost.add(id);
    this.#expectAt(now + grace);
    if (this.#isMass()) this.#heldSince ??= now;
  }

  /** Who is restored by it: those that were removed a moment ago, where this makes it a mass loss. */
  lose(id: string, now: number): MembershipChange[] {
    const member = this.#members.get(id);
    if (member === undefined || member.lostAt !== null) return [];
    const { flapWindow, flapLosses } = this.#policy;
    const recent = [...member.losses.filter((at) => now - at < flapWindow), now];
    // More of them would say nothing more: the grace is at its longest by then.
    member.losses = recent.slice(-(flapLosses + 32));
    member.lostAt = now;
    member.due = now + this.#graceAfter(recent.length);
    this.#lost.add(id);
    this.#expectAt(member.due);
    if (this.#heldSince !== null || !this.#isMass()) return [];
    this.#heldSince = now;
    return this.#restore(now);
  }

  /** It said that it goes. */
  leave(id: string): void {
    this.#members.delete(id);
    this.#lost.delete(id);
    this.#removed.delete(id);
  }

  /** Who is to go by now. */
  advance(now: number): MembershipChange[] {
    const { massHold, massWindow } = this.#policy;
    const ended = this.#heldSince !== null && now >= this.#heldSince + massHold;
    if (ended) this.#heldSince = null;
    const changes: MembershipChange[] = [];
    for (const id of this.#heldSince === null ? this.#lost : []) {
      if (this.#dueOf(id) > now) continue;
      this.#lost.delete(id);
      // After a hold it was long enough: they are not held once more.
      if (ended || this.#lostAt(id) + massWindow <= now) {
        this.#members.delete(id);
        changes.push({ id, kind: 'forgotten' });
      } else {
        this.#removed.add(id);
        changes.push({ id, kind: 'removed' });
      }
    }
    for (const id of this.#removed) {
      if (this.#lostAt(id) + massWindow > now) continue;
      this.leave(id);
      changes.push({ id, kind: 'forgotten' });
    }
    this.#lookAgain();
    return changes;
  }

  /** When to `advance`, at the latest; null: not before the next event. It may be too early, and then does nothing. */
  next(): number | null {
    if (this.#heldSince !== null) return this.#heldSince + this.#policy.massHold;
    return this.#lost.size + this.#removed.size === 0 ? null : this.#soonest;
  }

  #expectAt(at: number): void {
    // With nobody else to wait for, what was waited for before is past.
    this.#soonest = this.#lost.size + this.#removed.size <= 1 ? at : Math.min(this.#soonest, at);
  }

  #lookAgain(): void {
    this.#soonest = Number.POSITIVE_INFINITY;
    for (const id of this.#lost) this.#soonest = Math.min(this.#soonest, this.#dueOf(id));
    for (const id of this.#removed) this.#soonest = Math.min(this.#soonest, this.#lostAt(id) + this.#policy.massWindow);
  }

  #isMass(): boolean {
    const away = this.#lost.size + this.#removed.size;
    return away >= this.#policy.massLeast && away * 2 > this.#members.size;
  }

  #graceAfter(losses: number): number {
    const { grace, flapLosses, mostGrace } = this.#policy;
    return losses <= flapLosses ? grace : Math.max(grace, Math.min(mostGrace, grace * 2 ** (losses - flapLosses)));
  }

  #restore(now: number): MembershipChange[] {
    const restored = [...this.#removed];
    this.#removed.clear();
    for (const id of restored) {
      this.#lost.add(id);
      const member = this.#members.get(id);
      if (member !== undefined) member.due = now + this.#policy.grace;
    }
    return restored.map((id) => ({ id, kind: 'restored' }));
  }

  #release(now: number): void {
    this.#heldSince = null;
    for (const id of this.#lost) {
      const member = this.#members.get(id);
      if (member !== undefined) member.due = Math.max(member.due, now + this.#policy.massReturn);
    }
    this.#lookAgain();
  }

  #dueOf(id: string): number {
    return this.#members.get(id)?.due ?? 0;
  }

  #lostAt(id: string): number {
    return this.#members.get(id)?.lostAt ?? 0;
  }
}
