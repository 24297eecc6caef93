// Package shop sells things.
//
// More about it.
package shop

import (
	"fmt"
	m "example.com/shop/money"
	_ "example.com/shop/drivers"
	. "example.com/shop/names"
)

import "errors"

// MaxItems is what a cart may hold.
const MaxItems = 100

const (
	// Red is a colour.
	Red Colour = iota
	green
)

var opened int // how many

var table = map[string]int{
	"one": 1,
}

// ErrEmpty says that nothing is there.
var ErrEmpty = errors.New("empty")

// Colour is a number.
type Colour int

// Cart holds items.
type Cart[T any] struct {
	items []T
	Name  string `json:"name"`
}

type (
	// Priced has a price.
	Priced interface {
		// Price in cents.
		Price(tax int) (int, error)
		fmt.Stringer
	}
	id = string
)

// Total adds up.
//
//go:noinline
func (c *Cart[T]) Total(limit int, rest ...T) (sum int, err error) {
	for i, item := range c.items {
		if item.Price() > limit {
			return 0, fmt.Errorf("item %d: %w", i, ErrEmpty)
		}
		sum += item.Price()
	}
	opened++
	c.Name = "total"
	for {
		break
	}
	for j := 0; j < 3; j++ {
		local := j
		local++
	}
	switch v := any(rest).(type) {
	case int:
		panic("no")
	default:
		_ = v
	}
	done := make(chan int)
	go func() {
		hidden(1)
	}()
	select {
	case <-done:
	}
	defer m.Close()
	return sum, nil
}

func (c Cart[T]) hidden() {}

func New(name string, limit, more int) *Cart[int] {
	return &Cart[int]{Name: name}
}

func TestTotal(t *testing.T) {
	t.Run("empty", func(t *testing.T) {})
}

func Testify() {}
