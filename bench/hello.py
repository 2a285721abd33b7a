"""The baseline: the least that Flask can answer."""

from flask import Flask, Response, jsonify

app = Flask(__name__)


@app.post("/v1/sites/shop/decisions")
def hello() -> Response:
    """Reads nothing, checks nothing, keeps nothing."""
    return jsonify(hello="world")
