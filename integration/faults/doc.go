// Package faults is a registry's other address, at which what can go wrong on a
// network does: answers that are late, lost, cut off or false, at the n-th request of
// a kind. [Whole] then says whether a tag still leads to a whole image.
package faults
