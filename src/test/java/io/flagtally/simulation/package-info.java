/**
 * A seeded simulation of the way of an event: the real pipeline between a broker and a store that misbehave in every
 * way we could think of, on a virtual clock.
 */
package io.flagtally.simulation;
