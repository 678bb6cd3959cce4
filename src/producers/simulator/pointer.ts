import type { PointerButton } from '../../events/raw.ts';
import type { Random } from './random.ts';
import type { Recorder, Target } from './recorder.ts';

/** How one person's hand moves the pointer. */
export interface PointerHand {
  /** Time between two samples, ms: 8 (125 Hz) to 12.5 (80 Hz). */
  readonly step: number;
  /** Fitts's law: ms to begin, ms for each bit of difficulty. */
  readonly reaction: number;
  readonly slowness: number;
  /** How far the path bends, as a share of its length; its sign is the hand's. */
  readonly bend: number;
  /** Pixels of tremor. */
  readonly tremor: number;
  /** Chance to move past the target and back. */
  readonly overshoot: number;
  /** ms that a button stays down in a click, and between the clicks of a double click. */
  readonly hold: number;
  readonly doubleGap: number;
}

export const SCREEN = { width: 1920, height: 1080 };

export function makeHand(random: Random): PointerHand {
  return {
    step: random.between(8, 12.5),
    reaction: random.between(110, 260),
    slowness: random.between(90, 210),
    bend: random.between(0.02, 0.16) * (random.chance(0.7) ? 1 : -1),
    tremor: random.between(0.4, 2.2),
    overshoot: random.between(0.03, 0.25),
    hold: random.between(65, 135),
    doubleGap: random.between(70, 150),
  };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Moves the pointer and presses its buttons into the recorder. */
export class Pointer {
  readonly #hand: PointerHand;
  readonly #recorder: Recorder;
  readonly #random: Random;
  #x: number;
  #y: number;
  #t = 0;

  constructor(hand: PointerHand, recorder: Recorder, random: Random) {
    this.#hand = hand;
    this.#recorder = recorder;
    this.#random = random;
    this.#x = random.whole(200, SCREEN.width - 200);
    this.#y = random.whole(200, SCREEN.height - 200);
  }

  /** Goes to the target and clicks `times` times; gives the time afterwards. */
  click(t: number, target: Target, button: PointerButton = 'left', times = 1): number {
    this.#t = this.#goTo(t, target);
    for (let i = 0; i < times; i += 1) {
      if (i > 0) this.#t += this.#hand.doubleGap * this.#random.between(0.8, 1.3);
      this.#press(button, target, this.#hand.hold * this.#random.between(0.75, 1.35));
    }
    return this.#t;
  }

  longPress(t: number, target: Target): number {
    this.#t = this.#goTo(t, target);
    this.#press('left', target, this.#random.between(1080, 1900));
    return this.#t;
  }

  /** Presses on one target, moves on with the button down, and lets go on the other. */
  drag(t: number, from: Target, to: Target): number {
    this.#t = this.#goTo(t, from);
    this.#recorder.pointer('pointer_down', this.#t, this.#x, this.#y, 'left', from);
    const there = this.#goTo(this.#t + this.#random.between(60, 180), to);
    this.#recorder.pointer('pointer_up', there + 30, this.#x, this.#y, 'left', to);
    return there + 30;
  }

  scroll(t: number, notches: number): number {
    this.#t = t;
    const direction = Math.sign(notches);
    for (let i = Math.abs(notches); i > 0; i -= 1) {
      this.#recorder.wheel(this.#t, 0, direction);
      this.#t += this.#random.between(25, 140);
    }
    return this.#t;
  }

  /** Strays about for some time, as hands do while eyes read. */
  wander(t: number, ms: number): number {
    this.#t = t;
    while (this.#t < t + ms) {
      const x = clamp(this.#x + 190 * this.#random.normal(), SCREEN.width);
      const y = clamp(this.#y + 90 * this.#random.normal(), SCREEN.height);
      this.#t = this.#path(this.#t, { x, y }, this.#random.between(300, 900));
    }
    return this.#t;
  }

  #press(button: PointerButton, target: Target, ms: number): void {
    this.#recorder.pointer('pointer_down', this.#t, this.#x, this.#y, button, target);
    this.#t += ms;
    if (this.#random.chance(0.15)) this.#x = clamp(this.#x + 1, SCREEN.width);
    this.#recorder.pointer('pointer_up', this.#t, this.#x, this.#y, button, target);
  }

  #goTo(t: number, target: Target): number {
    const { x, y, width, height } = target.element.bounds ?? { x: 0, y: 0, ...SCREEN };
    const goal = {
      x: clamp(x + width * this.#random.between(0.2, 0.8), SCREEN.width),
      y: clamp(y + height * this.#random.between(0.25, 0.75), SCREEN.height),
    };
    const distance = Math.hypot(goal.x - this.#x, goal.y - this.#y);
    if (distance < 1) return t;
    const { reaction, slowness, overshoot } = this.#hand;
    const difficulty = Math.log2(distance / Math.max(8, Math.min(width, height)) + 1);
    const duration = (reaction + slowness * difficulty) * this.#random.between(0.8, 1.25);
    if (distance < 150 || !this.#random.chance(overshoot)) return this.#path(t, goal, duration);
    const beyond = {
      x: clamp(goal.x + (goal.x - this.#x) * 0.06, SCREEN.width),
      y: clamp(goal.y + (goal.y - this.#y) * 0.06, SCREEN.height),
    };
    return this.#path(this.#path(t, beyond, duration * 0.85), goal, 180);
  }

  /** A bent path of least jerk (Flash and Hogan, 1985) with tremor; ends exactly at `goal`. */
  #path(t: number, goal: Point, duration: number): number {
    const { step, bend, tremor } = this.#hand;
    const recorder = this.#recorder;
    const random = this.#random;
    const fromX = this.#x;
    const fromY = this.#y;
    const dx = goal.x - fromX;
    const dy = goal.y - fromY;
    const bow = bend * random.between(0.3, 1.5);
    const steps = Math.max(2, Math.round(duration / step));
    let x = fromX;
    let y = fromY;
    for (let i = 1; i <= steps; i += 1) {
      const share = i / steps;
      const way = share * share * share * (10 + share * (6 * share - 15));
      const side = 4 * bow * way * (1 - way);
      const shake = i === steps ? 0 : tremor;
      x = clamp(fromX + dx * way - dy * side + shake * (random.unit() - 0.5) * 2, SCREEN.width);
      y = clamp(fromY + dy * way + dx * side + shake * (random.unit() - 0.5) * 2, SCREEN.height);
      recorder.move(t + i * step, x, y);
    }
    this.#x = x;
    this.#y = y;
    return t + steps * step;
  }
}

function clamp(value: number, limit: number): number {
  return Math.max(0, Math.min(limit - 1, Math.round(value)));
}
