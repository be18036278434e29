package edge

import "context"

type progress struct{}

// WithProgress has long work under a context tell how far it is.
func WithProgress(ctx context.Context, step func(done, total int)) context.Context {
	return context.WithValue(ctx, progress{}, step)
}

// Progress tells how far work is, where somebody asked for it.
func Progress(ctx context.Context, done, total int) {
	if step, ok := ctx.Value(progress{}).(func(done, total int)); ok {
		step(done, total)
	}
}
