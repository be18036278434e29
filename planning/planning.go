// Package planning computes what a radio link or a sector can do over real
// ground: profile, Fresnel clearance, propagation, link budget, coverage, and
// the people it reaches. It is pure and deterministic: it reads heights through
// Terrain, touches nothing else, and answers with values that can be printed,
// stored and compared.
//
// Models: free space by ITU-R P.525-4, diffraction by the delta-Bullington
// method of ITU-R P.526-16 §4.5.2 (the same as ITU-R P.452-18 §4.2), gases by
// ITU-R P.676. What they leave out (trees, houses, rain, multipath,
// interference) is said in the answers.
package planning
