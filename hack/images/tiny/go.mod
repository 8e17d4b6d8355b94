module heddle.dev/hack/images/tiny

go 1.26.0
