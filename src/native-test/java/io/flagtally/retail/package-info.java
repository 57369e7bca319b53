/** A year of a real shop goes through the packaged service; the numbers that come out are compared with the file. */
package io.flagtally.retail;
