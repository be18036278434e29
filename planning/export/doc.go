// Package export writes what planning found for other programs and for eyes:
// GeoTIFF, GeoJSON, PNG pictures, map tiles and profile drawings. It decides
// nothing; every function takes values of planning and writes bytes.
package export
